// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/address_watch.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/address_rules.hpp"
#include "base/log.hpp"

namespace sftdyn::server {
namespace {

/// The warning with the remedy for a Python conf, which can't configure proxies.
AddressWatch::Warning warning_of_python_conf(http::Forwarding kind, const std::string& peer) {
    const std::string remedy =
        fmt::format("let get_ip return what its header says, for requests of {} only", peer);
    switch (kind) {
        case http::Forwarding::silent:
            return {"silent-proxy", peer,
                    fmt::format("{} sends no forwarding header: hosts get its own address", peer),
                    "let it send X-Forwarded-For"};
        case http::Forwarding::other:
            return {"other-header", peer,
                    fmt::format("{} sends another header than X-Forwarded-For: hosts get its own "
                                "address",
                                peer),
                    remedy};
        case http::Forwarding::untrusted:
        case http::Forwarding::as_meant:
            break;
    }
    return {"untrusted-proxy", peer,
            fmt::format("{} sends a forwarding header, and no hook of the conf reads it: its own "
                        "address counts",
                        peer),
            "if it is your proxy: " + remedy + "; if not, a client has forged it"};
}

AddressWatch::Warning warning_of(http::Forwarding kind, const std::string& peer) {
    switch (kind) {
        case http::Forwarding::silent:
            return {"silent-proxy", peer,
                    fmt::format("{} is one of trusted_proxies, and sends no forwarding header: "
                                "hosts get its own address",
                                peer),
                    "let it send the header that proxy_header names (X-Forwarded-For unless it is "
                    "set)"};
        case http::Forwarding::other:
            return {"other-header", peer,
                    fmt::format("{} is one of trusted_proxies, and sends another header than "
                                "proxy_header names: hosts get its own address",
                                peer),
                    "set proxy_header to \"X-Forwarded-For\", \"Forwarded\" or \"X-Real-IP\", "
                    "whichever it sends, or to the name of another that it does"};
        case http::Forwarding::untrusted:
        case http::Forwarding::as_meant:
            break;
    }
    return {"untrusted-proxy", peer,
            fmt::format("{} sends a forwarding header, but is not one of trusted_proxies: its own "
                        "address counts",
                        peer),
            fmt::format(
                "if it is your proxy: trusted_proxies = [\"{}\"]; if not, a client has forged it",
                peer)};
}

/// Logs the warning, with the shared address or the proxy's address as a journal field.
void log_warning(const AddressWatch::Warning& warning) {
    base::log::event(spdlog::level::warn, fmt::format("{}; {}", warning.what, warning.remedy),
                     {{warning.check == "shared-address" ? "SFTDYN_ADDRESS" : "SFTDYN_CLIENT",
                       warning.address}});
}

}  // namespace

void AddressWatch::configure(bool is_python_conf) {
    const base::MutexLock lock(mutex_);
    is_python_conf_ = is_python_conf;
}

void AddressWatch::forwarding(http::Forwarding kind, const boost::asio::ip::address& peer,
                              Sender sender) {
    const auto network = base::client_network(peer);
    const base::MutexLock lock(mutex_);
    const bool is_said = std::ranges::any_of(
        said_, [&](const Said& one) { return one.kind == kind && one.peer == network; });
    if (is_said) return;
    if (sender == Sender::stranger) {
        if (kind == http::Forwarding::untrusted) say_stranger(network, peer);
        return;
    }
    if (warnings_.size() >= most_warnings) return;
    if (kind == http::Forwarding::untrusted)
        std::erase_if(strangers_, [&](const Stranger& one) { return one.peer == network; });
    said_.push_back({kind, network});
    say(warning_about(kind, peer));
}

AddressWatch::Warning AddressWatch::warning_about(http::Forwarding kind,
                                                  const boost::asio::ip::address& peer) const {
    return is_python_conf_ ? warning_of_python_conf(kind, peer.to_string())
                           : warning_of(kind, peer.to_string());
}

void AddressWatch::say_stranger(const base::ClientNetwork& network,
                                const boost::asio::ip::address& peer) {
    if (strangers_.size() >= most_strangers ||
        std::ranges::any_of(strangers_, [&](const Stranger& one) { return one.peer == network; }))
        return;
    Warning warning = warning_about(http::Forwarding::untrusted, peer);
    warning.what = fmt::format("without a valid credential, {}", warning.what);
    log_warning(warning);
    if (strangers_.size() + 1 == most_strangers)
        base::log::warn(
            "no more warnings are given about forwarding headers without a valid credential");
    strangers_.push_back({network, std::move(warning)});
}

void AddressWatch::published(update::HostId host, const boost::asio::ip::address& address) {
    const auto scope = base::scope_of(address);
    if (scope != base::AddressScope::loopback && scope != base::AddressScope::local) return;
    const base::MutexLock lock(mutex_);
    if (sharing_.size() >= most_addresses && !sharing_.contains(address)) {
        std::erase_if(sharing_, [](const auto& one) { return !one.second.said; });
        if (sharing_.size() >= most_addresses) return;
    }
    Sharing& sharing = sharing_[address];
    if (sharing.said ||
        std::find(sharing.hosts.begin(), sharing.hosts.end(), host) != sharing.hosts.end())
        return;
    sharing.hosts.push_back(host);
    if (sharing.hosts.size() < many_hosts || warnings_.size() >= most_warnings) return;
    sharing.said = true;
    sharing.hosts = {};
    const std::string text = address.to_string();
    say({"shared-address", text,
         fmt::format("{} hosts have been given one address, {}", many_hosts, text),
         is_python_conf_
             ? "if a proxy or a container's NAT stands in front of sftdyn, let it send a "
               "forwarding header, and let get_ip return that"
             : fmt::format("if a proxy or a container's NAT stands in front of sftdyn, let it send "
                           "a forwarding header, and name it: "
                           "trusted_proxies = [\"{}\"]; to refuse such addresses: [addresses] "
                           "deny",
                           text)});
}

void AddressWatch::answered(update::HostId host, const boost::asio::ip::address& address,
                            update::UpdateStatus status) {
    const bool is_so =
        status == update::UpdateStatus::committed || status == update::UpdateStatus::unchanged;
    if (is_so && !address.is_unspecified()) published(host, address);
}

void AddressWatch::say(Warning warning) {
    log_warning(warning);
    if (warnings_.size() + 1 == most_warnings)
        base::log::warn("no more warnings of that kind are given before the next start");
    warnings_.push_back(std::move(warning));
}

std::vector<AddressWatch::Warning> AddressWatch::warnings() const {
    const base::MutexLock lock(mutex_);
    std::vector<Warning> all = warnings_;
    for (const Stranger& one : strangers_) all.push_back(one.warning);
    return all;
}

}  // namespace sftdyn::server
