// SPDX-License-Identifier: GPL-3.0-or-later
// The interface to one authoritative DNS server.
#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "dns/delivery.hpp"
#include "dns/message.hpp"

namespace sftdyn::dns {

/// One address of a DNS server. Used on one thread. No callback runs before the call has returned.
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

    /// Queries the records of `name` and `type`. An RCODE of the server is part of the reply, not a
    /// failure.
    virtual void query(const Name& name, Type type, base::TimePoint deadline, Handler handler) = 0;

    /// Sends an UPDATE of `zone` once. `handler` is called once: by `send_by` if the UPDATE could
    /// not be sent until then, else by `deadline`. An RCODE other than NOERROR is a failure. `late`
    /// is called once if a verified answer comes on the same connection after `handler` was called
    /// with `in_doubt`.
    virtual void update(const Name& zone, const UpdateContent& content, base::TimePoint send_by,
                        base::TimePoint deadline, UpdateHandler handler, LateAnswer late) = 0;

    /// Closes the connection if nothing was received for a long time although an answer is
    /// expected.
    virtual void end_if_silent() = 0;

    /// Closes all connections. Messages in flight fail.
    virtual void close() = 0;
};

}  // namespace sftdyn::dns
