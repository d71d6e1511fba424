// SPDX-License-Identifier: GPL-3.0-or-later
// A connection without TLS.
#pragma once

#include "http/connection.hpp"

namespace sftdyn::http {

/// Implements the steps of `Connection` directly on the socket. Used on its connection's thread.
class PlainConnection : public Connection {
public:
    using Connection::Connection;

private:
    void establish() override { established(); }
    void async_read(boost::asio::mutable_buffer into) override;
    void async_write(boost::asio::const_buffer octets) override;
    void finish(bool input_may_come) override;
    std::shared_ptr<PlainConnection> self() {
        return std::static_pointer_cast<PlainConnection>(shared_from_this());
    }
};

}  // namespace sftdyn::http
