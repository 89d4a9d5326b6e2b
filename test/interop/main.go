// Reads the log with a client of transparency logs that knows nothing of
// scim_audit: filippo.io/torchwood, which Go's checksum database and others use.
//
//	interop WHERE VKEY [OLD_CHECKPOINT [PROOF...]]
//
// WHERE is a directory that scim-audit export made, or a URL (with the token in
// TOKEN).  All tiles and entries are read and hashed up to the checkpoint's
// root; an older checkpoint must be of a beginning of the log; each PROOF, a
// tlog-proof file, must hold for the entry it carries.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type bearer string

func (token bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(request)
}

func open(where string) (torchwood.TileReader, error) {
	if !strings.HasPrefix(where, "http") {
		return torchwood.NewTileFS(os.DirFS(where))
	}
	return torchwood.NewTileFetcher(where, torchwood.WithHTTPClient(&http.Client{Transport: bearer(os.Getenv("TOKEN"))}))
}

// entries reads all of the log; the client checks each against the tree.
func entries(ctx context.Context, reader torchwood.TileReader, tree tlog.Tree) error {
	client, err := torchwood.NewClient(reader)
	if err != nil {
		return err
	}
	read := int64(0)
	for index, entry := range client.AllEntries(ctx, tree, 0) {
		if index != read || !strings.HasPrefix(string(entry), `{"v":1,"tx_id":"`) {
			return fmt.Errorf("entry %d is %.80q, in the place of %d", index, entry, read)
		}
		read++
	}
	if err := client.Err(); err != nil {
		return err
	}
	if read != tree.N {
		return fmt.Errorf("%d entries of %d", read, tree.N)
	}
	_, proof, err := client.Entry(ctx, tree, tree.N/2)
	if err != nil {
		return err
	}
	fmt.Printf("%d entries; inclusion of one of them in %d hashes\n", read, len(proof))
	return nil
}

// begins tells whether an older checkpoint is of a beginning of the tree.
func begins(ctx context.Context, reader torchwood.TileReader, tree tlog.Tree, old torchwood.Checkpoint) error {
	hashes := torchwood.TileHashReaderWithContext(ctx, tree, reader)
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func run(where, vkey string, files []string) error {
	ctx := context.Background()
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return err
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(verifier.Name()), torchwood.SingleVerifierPolicy(verifier))
	reader, err := open(where)
	if err != nil {
		return err
	}
	signed, err := reader.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return err
	}
	checkpoint, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return err
	}
	if err := entries(ctx, reader, checkpoint.Tree); err != nil {
		return err
	}
	for i, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if i == 0 {
			old, _, err := torchwood.VerifyCheckpoint(text, policy)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := begins(ctx, reader, checkpoint.Tree, old); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Printf("the checkpoint of size %d is of its beginning\n", old.N)
			continue
		}
		entry, err := torchwood.ProofExtraData(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(entry), text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%s holds\n", name)
	}
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: interop WHERE VKEY [OLD_CHECKPOINT [PROOF...]]")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}
