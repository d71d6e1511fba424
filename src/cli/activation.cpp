#include "cli/activation.hpp"

#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace sftdyn::cli {

std::vector<http::Endpoint> passed_sockets() {
    std::vector<http::Endpoint> out;
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        const std::unique_ptr<char, decltype(&std::free)> text(names[i], &std::free);
        std::string_view name = text.get();
        http::Endpoint endpoint;
        endpoint.inherited = SD_LISTEN_FDS_START + i;
        endpoint.proxy_protocol = name.ends_with("-proxy");
        if (endpoint.proxy_protocol) name.remove_suffix(6);
        endpoint.tls = name == "https";
        out.push_back(endpoint);
    }
    std::free(names);
    return out;
}

}  // namespace sftdyn::cli
