// SPDX-License-Identifier: GPL-3.0-or-later
// Detects requests whose source address is probably not the client's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/mutex.hpp"
#include "base/network.hpp"
#include "http/message.hpp"
#include "update/engine.hpp"
#include "update/rrset_key.hpp"

namespace sftdyn::server {

/// Detects proxies that are not configured, proxies that do not forward the client's address, and
/// hosts that all get the same address. Each case is logged once, and stored for `status` and
/// `doctor`. Owned by `Service`. Thread-safe, with bounded memory.
class AddressWatch {
public:
    /// A detected case, as `status` and `doctor` show it.
    struct Warning {
        std::string check{};    ///< one word: "untrusted-proxy", "silent-proxy", "other-header",
                                ///< "shared-address"
        std::string address{};  ///< the address of the proxy, or that the hosts share
        std::string what{};
        std::string remedy{};
    };

    /// Selects the remedies: a Python conf can't configure proxies.
    void configure(bool is_python_conf);

    /// The sender of a request: a client with a valid credential, or anyone else.
    enum class Sender : std::uint8_t { client, stranger };

    /// A request of `peer` has an unexpected forwarding header, or lacks one; the first of each
    /// peer is logged. For strangers, only a header of an untrusted peer is logged: requests
    /// through a trusted proxy may just be health checks.
    void forwarding(http::Forwarding kind, const boost::asio::ip::address& peer, Sender sender);
    /// `host` was given the address. Many hosts with one loopback or local address are a warning.
    void published(update::HostId host, const boost::asio::ip::address& address);

    /// The same if `status` is a success. Unspecified address: the records were to be removed.
    void answered(update::HostId host, const boost::asio::ip::address& address,
                  update::UpdateStatus status);

    [[nodiscard]] std::vector<Warning> warnings() const;

    static constexpr std::size_t most_warnings = 64;
    /// The limit of warnings about strangers. They are counted separately, so that strangers can't
    /// use up the space for the other warnings.
    static constexpr std::size_t most_strangers = 8;
    static constexpr std::size_t most_addresses = 1024;
    static constexpr std::size_t many_hosts = 3;

private:
    struct Sharing {
        std::vector<update::HostId> hosts{};
        bool said = false;
    };
    struct Said {
        http::Forwarding kind{};
        base::ClientNetwork peer{};
    };
    struct Stranger {
        base::ClientNetwork peer{};
        Warning warning{};
    };
    [[nodiscard]] Warning warning_about(http::Forwarding kind,
                                        const boost::asio::ip::address& peer) const
        REQUIRES(mutex_);
    void say(Warning warning) REQUIRES(mutex_);
    void say_stranger(const base::ClientNetwork& network, const boost::asio::ip::address& peer)
        REQUIRES(mutex_);

    mutable base::Mutex mutex_;
    bool is_python_conf_ GUARDED_BY(mutex_) = false;
    std::vector<Warning> warnings_ GUARDED_BY(mutex_);
    std::vector<Said> said_ GUARDED_BY(mutex_);
    std::vector<Stranger> strangers_ GUARDED_BY(mutex_);
    std::map<boost::asio::ip::address, Sharing> sharing_ GUARDED_BY(mutex_);
};

}  // namespace sftdyn::server
