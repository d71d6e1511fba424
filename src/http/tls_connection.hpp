// SPDX-License-Identifier: GPL-3.0-or-later
// A connection with TLS.
#pragma once

#include "http/connection.hpp"
#include "http/tls.hpp"

namespace sftdyn::http {

/// The steps of `Connection` over TLS. OpenSSL reads and writes the socket itself, so that an idle
/// connection holds no buffers. Used on its connection's thread; a handshake that fails ends the
/// connection.
class TlsConnection : public Connection {
public:
    TlsConnection(Socket socket, TlsContext context, ConnectionSet& set, const Peer& peer,
                  ConnectionLimiter::Ticket ticket)
        : Connection(std::move(socket), set, peer, std::move(ticket)),
          context_(std::move(context)) {}

private:
    void establish() override;
    void async_read(boost::asio::mutable_buffer into) override;
    void async_write(boost::asio::const_buffer octets) override;
    void finish(bool input_may_come) override;

    void handshake();
    void read();
    void write();
    /// Goes on with `step` when the socket is ready for what OpenSSL wants after `result`; ends the
    /// connection when there is nothing to wait for.
    void await(int result, void (TlsConnection::*step)());
    void await(Socket::wait_type what, void (TlsConnection::*step)());
    /// Does `step` from the event loop, not from within itself.
    void post(void (TlsConnection::*step)());
    std::shared_ptr<TlsConnection> self() {
        return std::static_pointer_cast<TlsConnection>(shared_from_this());
    }

    TlsContext context_;  ///< a newer certificate does not change this connection's
    std::unique_ptr<SSL, FreeTls> ssl_;
    boost::asio::mutable_buffer into_;
    boost::asio::const_buffer octets_;
    unsigned depth_ = 0;  ///< of reads and writes that were done at once, within each other
};

}  // namespace sftdyn::http
