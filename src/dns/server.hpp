// One authoritative DNS server as sftdyn talks to it: signed queries over UDP (TCP when cut short), signed UPDATEs
// over one kept TCP connection.
//
// UPDATEs never go over UDP: a datagram that lies in a stopped server's buffer could be carried out after a later
// UPDATE that went another way, and nothing would tell when that danger is over. On a connection, order is the
// server's order, and its end is an end.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/ip/address.hpp>

#include "base/clock.hpp"
#include "dns/key_source.hpp"
#include "dns/message.hpp"
#include "dns/tcp_channel.hpp"
#include "dns/udp_channel.hpp"

namespace sftdyn::dns {

struct ServerAddress {
    boost::asio::ip::address address;
    std::uint16_t port = 53;
    friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

/// "192.0.2.1:53" or "[2001:db8::1]:53".
[[nodiscard]] std::string text_of(const ServerAddress& server);

class Server : public std::enable_shared_from_this<Server> {
public:
    using Handler = std::function<void(Reply)>;
    using Settled = std::function<void()>;

    Server(boost::asio::io_context& io, const ServerAddress& address, std::shared_ptr<KeySource> keys, bool tcp_only);

    [[nodiscard]] const std::string& name() const { return name_; }

    /// Asks for `name`'s records of `type`. Error codes of the server's are in the reply, not failures.
    void query(const Name& name, Type type, base::TimePoint deadline, Handler handler);

    /// Sends one UPDATE of `zone`. One that was lost with its connection is sent again while there is time, if it has no
    /// prerequisites: those might fail by what the first did. An error code of the server's is a failure. `settled` is called once, with or after
    /// `handler`, when the server can no longer act on it: until then an UPDATE of the same names might be overtaken.
    void update(const Name& zone, UpdateContent content, base::TimePoint deadline, Handler handler, Settled settled);

    void close();

private:
    struct Question {
        Name name;
        Type type;
        base::TimePoint deadline;
        Handler handler;
        bool over_tcp = false;
    };
    struct Job {
        Name zone;
        UpdateContent content;
        base::TimePoint deadline;
        Handler handler;
        Settled settled;
        unsigned tries = 0;
    };

    Outcome<TsigKeyPtr> key();
    void ask(const std::shared_ptr<Question>& question);
    void asked(const std::shared_ptr<Question>& question, Reply reply);
    void attempt(std::shared_ptr<Job> job);
    void later(Handler handler, Failure failure);
    [[nodiscard]] Failure closed_failure() const;

    boost::asio::io_context& io_;
    std::string name_;
    std::shared_ptr<KeySource> keys_;
    bool tcp_only_;
    bool closed_ = false;
    std::shared_ptr<UdpChannel> udp_;
    std::shared_ptr<TcpChannel> tcp_;
};

}  // namespace sftdyn::dns
