#include "commands/serve.hpp"

#include <iostream>

#include "base/log.hpp"
#include "server/serve.hpp"
#include "server/wiring.hpp"

namespace sftdyn::commands {

int run_serve(const CommandLine& line) {
    base::log::start(line.verbosity, line.debug);
    return server::serve([&line] { return server::load(line); },
                         [](const std::vector<std::string>& addresses) {
                             for (const auto& address : addresses)
                                 std::cout << "listening on " << address << std::endl;
                         });
}

}  // namespace sftdyn::commands
