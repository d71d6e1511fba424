// A connection without TLS.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "http/connection.hpp"

namespace sftdyn::http {

class PlainConnection : public Connection {
public:
    PlainConnection(boost::asio::ip::tcp::socket socket, ConnectionSet& set, const boost::asio::ip::address& client)
        : Connection(set, client), socket_(std::move(socket)) {}

    void start() override { next_request(); }

private:
    void async_read(boost::asio::mutable_buffer into) override;
    void async_write(boost::asio::const_buffer octets) override;
    void async_finish(bool input_may_come) override;
    void close() override;
    boost::asio::any_io_executor executor() override { return socket_.get_executor(); }
    std::shared_ptr<PlainConnection> self() { return std::static_pointer_cast<PlainConnection>(shared_from_this()); }

    boost::asio::ip::tcp::socket socket_;
};

}  // namespace sftdyn::http
