// SPDX-License-Identifier: GPL-3.0-or-later
// The client of one authoritative DNS server.
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

/// How queries are sent to a server.
struct ServerOptions {
    bool tcp_only = false;     ///< also send queries over TCP
    bool sign_queries = true;  ///< if there is a key; UPDATEs are then always signed
    friend bool operator==(const ServerOptions&, const ServerOptions&) = default;
};

/// "192.0.2.1:53" or "[2001:db8::1]:53".
[[nodiscard]] std::string text_of(const ServerAddress& server);

/// Sends signed queries over UDP, and signed UPDATEs over one persistent TCP connection. A query is
/// repeated over TCP when its answer is truncated, and when two datagrams got no answer; after the
/// latter all queries use TCP for a while. Used on the thread of `io`. Kept alive by its owner and
/// by queries in flight, which `close` ends.
///
/// UPDATEs are never sent over UDP: a datagram in the buffer of a stopped server could be carried
/// out after a later UPDATE that was sent another way. On a connection, the server handles messages
/// in the order of sending.
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
        std::optional<DnsError> unanswered{};  ///< why there was no answer over UDP
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
    bool takes_tcp_ = false;          ///< a message was sent over TCP
    bool answers_udp_ = false;        ///< an answer has come over UDP
    base::TimePoint no_udp_until_{};  ///< because datagrams were lost
    std::shared_ptr<UdpChannel> udp_;
    std::shared_ptr<TcpChannel> tcp_;
};

}  // namespace sftdyn::dns
