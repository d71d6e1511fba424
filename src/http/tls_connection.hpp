// SPDX-License-Identifier: GPL-3.0-or-later
// A connection with TLS.
#pragma once

#include "http/connection.hpp"
#include "http/tls.hpp"

namespace sftdyn::http {

/// Implements the steps of `Connection` over TLS. OpenSSL reads and writes the socket itself, so
/// that an idle connection holds no buffers. Used on its connection's thread. A failed handshake
/// ends the connection.
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
    /// Continues with `step` when the socket is ready for what OpenSSL needs after `result`; ends
    /// the connection when `result` is final.
    void await(int result, void (TlsConnection::*step)());
    void await(Socket::wait_type what, void (TlsConnection::*step)());
    /// Calls `step` from the event loop instead of recursively.
    void post(void (TlsConnection::*step)());
    std::shared_ptr<TlsConnection> self() {
        return std::static_pointer_cast<TlsConnection>(shared_from_this());
    }

    TlsContext context_;  ///< unaffected by a later certificate
    std::unique_ptr<SSL, FreeTls> ssl_;
    boost::asio::mutable_buffer into_;
    boost::asio::const_buffer octets_;
    unsigned depth_ = 0;  ///< nesting of reads and writes that completed at once
};

}  // namespace sftdyn::http
