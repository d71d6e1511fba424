// The `cert` command: a private key and a self-signed certificate, ready for `https`.
#pragma once

#include "config/command_line.hpp"

namespace sftdyn::cli {

/// Returns the exit status.
int run_cert(const config::CommandLine& line);

}  // namespace sftdyn::cli
