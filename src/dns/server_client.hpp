// SPDX-License-Identifier: GPL-3.0-or-later
// One authoritative DNS server as sftdyn talks to it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

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

/// How a server wants to be asked.
struct ServerOptions {
    bool tcp_only = false;     ///< queries over TCP too
    bool sign_queries = true;  ///< UPDATEs are always signed, if there is a key
    friend bool operator==(const ServerOptions&, const ServerOptions&) = default;
};

/// "192.0.2.1:53" or "[2001:db8::1]:53".
[[nodiscard]] std::string text_of(const ServerAddress& server);

/// Sends signed queries over UDP, and signed UPDATEs over one kept TCP connection. A query goes
/// over TCP when its answer is cut short, and when two datagrams were not answered: then so do the
/// others for a while. Used on one thread, that of `io`; lives as long as its owner or a query
/// under way holds it, and `close` ends it.
///
/// UPDATEs never go over UDP: a datagram that lies in a stopped server's buffer could be carried
/// out after a later UPDATE that went another way. On a connection, order is the server's order.
class ServerClient : public DnsServer, public std::enable_shared_from_this<ServerClient> {
public:
    ServerClient(boost::asio::io_context& io, const ServerAddress& address,
                 std::shared_ptr<TsigKeyProvider> keys, const ServerOptions& options,
                 base::TimeSourcePtr time);

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
        bool is_signed = false;
        std::optional<DnsError> unanswered{};  ///< over UDP
    };
    DnsResult<TsigKeyPtr> key();
    void ask(const std::shared_ptr<Question>& question);
    void asked(const std::shared_ptr<Question>& question, Reply reply);
    [[nodiscard]] Reply explained(const std::shared_ptr<Question>& question, Reply reply) const;
    [[nodiscard]] DnsError over_tcp_alone(DnsError failure) const;
    [[nodiscard]] static bool is_no_connection(const DnsError& failure, const Delivery& delivery);
    void later(Handler handler, DnsError failure);
    [[nodiscard]] DnsError closed_failure() const;

    boost::asio::io_context& io_;
    std::string name_;
    std::shared_ptr<TsigKeyProvider> keys_;
    ServerOptions options_;
    base::TimeSourcePtr time_;
    bool closed_ = false;
    bool takes_tcp_ = false;          ///< something was sent over it
    bool answers_udp_ = false;        ///< as far as is known
    base::TimePoint no_udp_until_{};  ///< datagrams were lost
    std::shared_ptr<UdpChannel> udp_;
    std::shared_ptr<TcpChannel> tcp_;
};

}  // namespace sftdyn::dns
