/*
 * config/paths: where state and control socket are, for belfryd and
 * belfryctl alike. Malloc'ed, absolute.
 */
#ifndef BELFRY_CONFIG_PATHS_H
#define BELFRY_CONFIG_PATHS_H

#include "daemon/config/config.h"

/* `state_directory` of the configuration, else $STATE_DIRECTORY (systemd),
 * else $XDG_STATE_HOME/belfry, else ~/.local/state/belfry. */
char *config_state_directory(const struct config *config);
/* `control_socket`, else control in $RUNTIME_DIRECTORY (systemd), else in
 * $XDG_RUNTIME_DIR/belfry, else in the state directory. */
char *config_control_path(const struct config *config);

/* Where a user's own configuration belongs, whether it is there or not. NULL:
 * neither $XDG_CONFIG_HOME nor $HOME is set. */
char *config_own_path(void);

#endif
