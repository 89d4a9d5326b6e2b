"""What the benchmarks share: a private server, statements, medians, a table.

A benchmark compares ways of doing one thing.  It measures them in turn, A, B,
A, B, ..., so that a busy neighbour or a warm disk does not favour one; the
ratio of each round is printed, and the median of them first.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Nothing that comes and goes by itself: a checkpoint or a vacuum in one round
# but not in the next would be measured as a difference.
QUIET = ["max_wal_size = 16GB", "min_wal_size = 2GB", "checkpoint_timeout = 1h", "autovacuum = off",
         "shared_buffers = 1GB", "jit = off"]


class Cluster:
    """A private server with scim_audit in the database postgres, for a with statement."""

    def __init__(self, *conf):
        self.conf = QUIET + list(conf)

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="scim_bench.")
        try:
            environment = dict(os.environ, MAKE_OPTS="with_llvm=no")
            subprocess.run([HERE + "/tools/cluster", "start", self.dir] + self.conf,
                           check=True, stdout=subprocess.DEVNULL, env=environment)
            self.env = self._environment()
            self.sql("SET client_min_messages = error; CREATE EXTENSION scim_audit CASCADE;"
                     " SELECT scim_audit.ensure_partitions();")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run([HERE + "/tools/cluster", "stop", self.dir],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _environment(self):
        out = subprocess.run(["bash", "-c", ". '%s/env' && env -0" % self.dir],
                             check=True, capture_output=True).stdout
        return dict(pair.split("=", 1) for pair in out.decode().split("\0") if "=" in pair)

    def sql(self, text):
        """Run statements in one session; the lines of their results."""
        run = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1"], input=text, text=True,
                             capture_output=True, env=self.env)
        if run.returncode != 0:
            sys.exit("bench: %s\n%s" % (run.stderr.strip(), text[:1000]))
        return run.stdout.splitlines()

    def stock_wal(self):
        """Have segments of WAL that are used again, as a server has that has run for a while.

        Else whoever writes more WAL pays for more new files of 16 MB, zeroed and flushed."""
        self.sql("SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal() FROM generate_series(1, 64);")
        self.sql("CHECKPOINT;")

    def pgbench(self, script, clients, seconds=1, options="", times=None):
        """Transactions per second of a pgbench script, prepared statements, connecting not counted.

        It runs for so many seconds, or so many times."""
        path = os.path.join(self.dir, "script.sql")
        with open(path, "w") as file:
            file.write(script)
        run = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
                              *(["-t", str(times)] if times else ["-T", str(seconds)]), "-f", path], text=True, capture_output=True,
                             env=dict(self.env, PGOPTIONS=options))
        for line in run.stdout.splitlines():
            if run.returncode == 0 and line.startswith("tps = "):
                return float(line.split()[2])
        sys.exit("bench: pgbench failed\n%s%s" % (run.stdout, run.stderr))


# Nanoseconds that the backend has run on a processor: proc(5), schedstat.
CPU = ("CREATE FUNCTION cpu() RETURNS bigint LANGUAGE sql VOLATILE AS"
       " $$SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint$$;")


def median(values):
    return statistics.median(values)


def ratios(rounds, a, b):
    """Of each round, a to b."""
    return [r[a] / r[b] for r in rounds]
