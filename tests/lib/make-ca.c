/*
 * make-ca DIRECTORY NAMES [DAYS]: writes ca.pem, server.pem and server.key, the
 * server's certificate for NAMES ("DNS:localhost,IP:127.0.0.1"), good
 * until tomorrow, or for so many days: for tests that are scripts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/testca.h"

#define PATH_SIZE 4096

int
main(int argc, char **argv)
{
	char ca_path[PATH_SIZE], cert_path[PATH_SIZE], key_path[PATH_SIZE];
	struct testca_want want = {.common_name = "test server"};
	struct testca *ca;
	bool ok;

	if (argc < 3 || argc > 4 || strlen(argv[1]) > PATH_SIZE - 16) {
		fputs("usage: make-ca DIRECTORY NAMES [DAYS]\n", stderr);
		return 64;
	}
	snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", argv[1]);
	snprintf(cert_path, sizeof(cert_path), "%s/server.pem", argv[1]);
	snprintf(key_path, sizeof(key_path), "%s/server.key", argv[1]);
	want.names = argv[2];
	if (argc == 4) {
		want.from_days = -1;
		want.to_days = strtol(argv[3], NULL, 10);
	}
	ca = testca_new();
	ok = testca_write(ca, ca_path) &&
	     testca_write_server(ca, &want, cert_path, key_path);
	testca_free(&ca);
	if (!ok)
		perror("make-ca");
	return ok ? 0 : 1;
}
