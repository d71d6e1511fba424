// The `password` command: prints the hash of a password, for the configuration.
#pragma once

namespace sftdyn::commands {

/// Asks for it twice at a terminal, else takes the first line of standard input. Returns the exit
/// status.
int run_password();

}  // namespace sftdyn::commands
