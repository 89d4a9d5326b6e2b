void scim_location(void); void scim_location(void){}
