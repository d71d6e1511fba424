// SPDX-License-Identifier: GPL-3.0-or-later
// Notices when addresses are not whose they should be.
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

/// Finds a proxy that nobody named, one that does not say whom it speaks for, and hosts that all
/// get one address. Each is logged once, and kept for `status` and `doctor`. Owned by `Service`.
/// Thread-safe; what it remembers is bounded.
class AddressWatch {
public:
    /// What was noticed, as `status` and `doctor` show it.
    struct Warning {
        std::string check{};    ///< one word: "untrusted-proxy", "silent-proxy", "other-header",
                                ///< "shared-address"
        std::string address{};  ///< that it is about
        std::string what{};
        std::string remedy{};
    };

    /// Which remedies there are: a Python conf names no proxies.
    void configure(bool is_python_conf);

    /// Who sent a request: somebody with a right credential, or anybody.
    enum class Sender : std::uint8_t { client, stranger };

    /// A request of `peer` has another forwarding header than it should; each peer's first is said.
    /// Of strangers that is only a header of a peer that is not trusted: those whom a trusted proxy
    /// lets through may only look whether the program is alive.
    void forwarding(http::Forwarding kind, const boost::asio::ip::address& peer, Sender sender);
    /// Somebody's `host` was given the address. A host of a loopback or local network shares its
    /// address with few others.
    void published(update::HostId host, const boost::asio::ip::address& address);

    /// The same, if that was the outcome. Unspecified: the host was to have none.
    void answered(update::HostId host, const boost::asio::ip::address& address,
                  update::UpdateStatus status);

    [[nodiscard]] std::vector<Warning> warnings() const;

    static constexpr std::size_t most_warnings = 64;
    /// Of strangers, who may send what they like. These are not among the others, for which there
    /// is room whatever strangers do.
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
