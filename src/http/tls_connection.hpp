// A connection with TLS.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "http/connection.hpp"
#include "http/tls.hpp"

namespace sftdyn::http {

class TlsConnection : public Connection {
public:
    TlsConnection(boost::asio::ip::tcp::socket socket, TlsContext context, ConnectionSet& set, const boost::asio::ip::address& client)
        : Connection(set, client), context_(std::move(context)), stream_(std::move(socket), *context_) {}

    void start() override;

private:
    void async_read(boost::asio::mutable_buffer into) override;
    void async_write(boost::asio::const_buffer octets) override;
    void async_finish(bool input_may_come) override;
    void close() override;
    boost::asio::any_io_executor executor() override { return stream_.get_executor(); }
    std::shared_ptr<TlsConnection> self() { return std::static_pointer_cast<TlsConnection>(shared_from_this()); }

    TlsContext context_;  ///< a newer certificate does not change this connection's
    boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
};

}  // namespace sftdyn::http
