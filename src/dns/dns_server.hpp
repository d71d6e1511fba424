// SPDX-License-Identifier: GPL-3.0-or-later
// One authoritative DNS server, as what talks to it sees it.
#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "dns/delivery.hpp"
#include "dns/message.hpp"

namespace sftdyn::dns {

/// One address of a DNS server. Used on one thread, and never calls back from within a call.
class DnsServer {
public:
    using Handler = std::function<void(Reply)>;
    using UpdateHandler = std::function<void(Reply, Delivery)>;
    using LateAnswer = std::function<void(Reply, unsigned connection)>;

    DnsServer() = default;
    DnsServer(const DnsServer&) = delete;
    DnsServer& operator=(const DnsServer&) = delete;
    virtual ~DnsServer() = default;

    /// Address and port.
    [[nodiscard]] virtual const std::string& name() const = 0;

    /// Asks for `name`'s records of `type`. Error codes of the server's are in the reply, not
    /// failures.
    virtual void query(const Name& name, Type type, base::TimePoint deadline, Handler handler) = 0;

    /// Sends one UPDATE of `zone`, once. `handler` is called once: by `send_by` if it could not be
    /// sent until then, else by `deadline`. An error code of the server's is a failure. `late` is
    /// called once when a verified answer comes on the same connection after `handler` was called
    /// with `in_doubt`.
    virtual void update(const Name& zone, const UpdateContent& content, base::TimePoint send_by,
                        base::TimePoint deadline, UpdateHandler handler, LateAnswer late) = 0;

    /// Ends the connection when nothing has come on it for long, though something is awaited.
    virtual void end_if_silent() = 0;

    /// Ends all connections: what is under way fails.
    virtual void close() = 0;
};

}  // namespace sftdyn::dns
