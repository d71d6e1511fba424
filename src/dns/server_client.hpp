// SPDX-License-Identifier: GPL-3.0-or-later
// One authoritative DNS server as sftdyn talks to it.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/ip/address.hpp>

#include "base/time_source.hpp"
#include "dns/dns_server.hpp"
#include "dns/message.hpp"
#include "dns/tcp_channel.hpp"
#include "dns/tsig_key_provider.hpp"
#include "dns/udp_channel.hpp"

namespace sftdyn::dns {

/// Address and port of a DNS server.
struct ServerAddress {
    boost::asio::ip::address address;
    std::uint16_t port = 53;
    friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

/// "192.0.2.1:53" or "[2001:db8::1]:53".
[[nodiscard]] std::string text_of(const ServerAddress& server);

/// Sends signed queries over UDP (TCP when cut short) and signed UPDATEs over one kept TCP
/// connection. Used on one thread, that of `io`; lives as long as its owner or a query under way
/// holds it, and `close` ends it.
///
/// UPDATEs never go over UDP: a datagram that lies in a stopped server's buffer could be carried
/// out after a later UPDATE that went another way. On a connection, order is the server's order.
class ServerClient : public DnsServer, public std::enable_shared_from_this<ServerClient> {
public:
    ServerClient(boost::asio::io_context& io, const ServerAddress& address,
                 std::shared_ptr<TsigKeyProvider> keys, bool tcp_only, base::TimeSourcePtr time);

    [[nodiscard]] const std::string& name() const override { return name_; }
    void query(const Name& name, Type type, base::TimePoint deadline, Handler handler) override;
    void update(const Name& zone, const UpdateContent& content, base::TimePoint send_by,
                base::TimePoint deadline, UpdateHandler handler, LateAnswer late) override;
    /// As `TcpChannel::end_if_silent`.
    void end_if_silent() override { tcp_->end_if_silent(); }
    void close() override;

private:
    struct Question {
        Name name;
        Type type;
        base::TimePoint deadline;
        Handler handler;
        bool over_tcp = false;
    };
    DnsResult<TsigKeyPtr> key();
    void ask(const std::shared_ptr<Question>& question);
    void asked(const std::shared_ptr<Question>& question, Reply reply);
    void later(Handler handler, DnsError failure);
    [[nodiscard]] DnsError closed_failure() const;

    boost::asio::io_context& io_;
    std::string name_;
    std::shared_ptr<TsigKeyProvider> keys_;
    bool tcp_only_;
    bool closed_ = false;
    std::shared_ptr<UdpChannel> udp_;
    std::shared_ptr<TcpChannel> tcp_;
};

}  // namespace sftdyn::dns
