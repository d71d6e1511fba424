// SPDX-License-Identifier: GPL-3.0-or-later
// The client is OpenSSL's, in memory; what it gives goes through the test's hands to the socket.
#include "http/tls_connection.hpp"

#include <algorithm>
#include <csignal>
#include <limits>
#include <memory>
#include <string>

#include "http/connection_test.hpp"
#include "http/test_pairs.hpp"

using namespace sftdyn;
using namespace sftdyn::http;
using namespace std::chrono_literals;

namespace {

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class TlsConnections : public ConnectionTest {
protected:
    /// A client and what it has been told.
    class Client {
    public:
        Client(TlsConnections& test, int socket)
            : test_(test), socket_(socket), ssl_(SSL_new(test.client_context_.get())) {
            SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
            SSL_set_connect_state(ssl_.get());
        }

        /// Goes on until neither side has more to say.
        void exchange() {
            for (bool moved = true; moved;) {
                std::array<char, 16384> octets{};
                if (!SSL_is_init_finished(ssl_.get())) SSL_do_handshake(ssl_.get());
                moved = send();
                test_.run();
                const std::string came = test_.received(socket_);
                BIO_write(SSL_get_rbio(ssl_.get()), came.data(), static_cast<int>(came.size()));
                for (int size = 1; size > 0;) {
                    size = SSL_read(ssl_.get(), octets.data(), octets.size());
                    if (size > 0) text.append(octets.data(), static_cast<std::size_t>(size));
                }
                moved = moved || !came.empty();
            }
        }
        void write(std::string_view octets) {
            EXPECT_EQ(SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size())),
                      static_cast<int>(octets.size()));
        }
        /// What comes back for `octets`.
        std::string ask(std::string_view octets) {
            text.clear();
            write(octets);
            exchange();
            return text;
        }
        [[nodiscard]] bool is_ready() const { return SSL_is_init_finished(ssl_.get()) == 1; }
        /// Whether the server has said that it is done (RFC 8446 §6.1).
        [[nodiscard]] bool is_told_of_the_end() const {
            return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
        }
        void say_the_end() { SSL_shutdown(ssl_.get()); }
        [[nodiscard]] std::string certificate() const {
            const std::unique_ptr<X509, decltype(&X509_free)> theirs(
                SSL_get1_peer_certificate(ssl_.get()), X509_free);
            std::array<char, 100> name{};
            X509_NAME_get_text_by_NID(X509_get_subject_name(theirs.get()), NID_commonName,
                                      name.data(), name.size());
            return name.data();
        }

        std::string text{};
        std::size_t piece = std::numeric_limits<std::size_t>::max();  ///< octets sent at once

    private:
        bool send() {
            char* octets = nullptr;
            const auto all =
                static_cast<std::size_t>(BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &octets));
            const std::string copy(octets, all);
            static_cast<void>(BIO_reset(SSL_get_wbio(ssl_.get())));
            for (std::size_t at = 0; at < copy.size(); at += std::min(piece, copy.size()))
                test_.tell(socket_, std::string_view(copy).substr(at, piece));
            return !copy.empty();
        }

        TlsConnections& test_;
        int socket_;
        std::unique_ptr<SSL, FreeTls> ssl_;
    };

    TlsConnections() {
        std::signal(SIGPIPE, SIG_IGN);  // as the program: OpenSSL writes to sockets as to files
        serve("first.example");
    }

    /// Connections that begin from now on get a certificate of that name.
    void serve(const char* name) {
        folder_.write(make_test_certificate(key_.get(), name), pem_of(key_.get()));
        context_ = std::make_shared<const std::vector<TlsCertificate>>(
            std::vector<TlsCertificate>{*read_certificate(folder_.cert(), folder_.key())});
    }

    int connect(bool preamble = false) {
        auto [socket, client] = pair();
        std::make_shared<TlsConnection>(std::move(socket), context_, set_,
                                        preamble ? proxy_ : client_, *admission_.enter())
            ->start(preamble);
        run();
        return client;
    }
    std::unique_ptr<Client> shake_hands() {
        auto client = std::make_unique<Client>(*this, connect());
        client->exchange();
        EXPECT_TRUE(client->is_ready());
        return client;
    }

    PairFolder folder_;
    TestKey key_ = make_test_key("EC");
    TlsContext context_;
    std::unique_ptr<SSL_CTX, FreeContext> client_context_{SSL_CTX_new(TLS_client_method())};
};

constexpr std::string_view tls_request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(TlsConnections, RequestsAreAnsweredOneAfterTheOther) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        SSL_CTX_set_max_proto_version(client_context_.get(), version);
        const auto client = shake_hands();
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(client->ask(tls_request).ends_with("192.0.2.1"));
        EXPECT_EQ(set_.list.size(), 1U);
        clients_.clear();
        run();
        EXPECT_EQ(set_.list.size(), 0U);
    }
}

TEST_F(TlsConnections, PiecesOfEverySizeAreAnsweredAsTheWhole) {
    for (const std::size_t size : {1U, 2U, 3U, 5U, 7U, 64U, 1000U}) {
        Client client(*this, connect());
        client.piece = size;
        client.exchange();
        ASSERT_TRUE(client.is_ready()) << size;
        EXPECT_TRUE(client.ask(tls_request).ends_with("192.0.2.1")) << size;
    }
}

TEST_F(TlsConnections, ARequestMayComeInManyRecords) {
    const auto client = shake_hands();
    for (const char octet : tls_request) client->write(std::string_view(&octet, 1));
    client->exchange();
    EXPECT_EQ(status_lines(client->text), std::vector<std::string>{"200 OK"});
}

/// They lie decrypted in OpenSSL, and no event of the socket's tells of them. They are of one size,
/// so that what is read at once may end with one of them.
TEST_F(TlsConnections, AnyNumberOfRequestsMayComeInOneRecord) {
    limits_.requests_per_connection = 1'000'000;
    std::size_t handled = 0;
    handler_.answer = [&](const Request& asked, const auto&) {
        EXPECT_EQ(asked.target, "/" + std::to_string(handled++));
        return Response{200, "x"};
    };
    std::string all;
    for (int i = 0; i < 250; ++i) {
        std::string one = "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nX: ";
        one.resize(RequestReader::read_size / 32 - 4, 'x');
        all += one + "\r\n\r\n";
    }
    ASSERT_LT(all.size(), 16384U);
    EXPECT_EQ(status_lines(shake_hands()->ask(all)).size(), 250U);
    EXPECT_EQ(handled, 250U);
}

TEST_F(TlsConnections, AnAnswerOfAnySizeIsSentWhole) {
    const std::string text(3 << 20, 'x');
    handler_.answer = [&](const auto&, const auto&) { return Response{200, text}; };
    const auto client = shake_hands();
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(client->ask(tls_request).ends_with("\r\n\r\n" + text));
}

TEST_F(TlsConnections, WhatIsNoTlsEndsIt) {
    const int client = connect();
    tell(client, tls_request);
    const std::string alert = received(client);
    EXPECT_EQ(alert.find("HTTP"), std::string::npos);
    EXPECT_TRUE(is_closed);
    EXPECT_EQ(set_.list.size(), 0U);
    EXPECT_EQ(admission_.count(), 0U);
}

TEST_F(TlsConnections, TheHandshakeHasItsTimeWhateverComes) {
    limits_.handshake_time = 7s;
    Client client(*this, connect());
    now_ += 5s;
    client.exchange();
    EXPECT_TRUE(client.is_ready());
    EXPECT_TRUE(set_.list.front().idle()) << "it is over, and idle time has begun";
    const int silent = connect(true);
    now_ += 6s;
    tell(silent, "PROXY TCP4 192.0.2.9 10.0.0.1 1 2\r\n\x16\x03\x01");
    EXPECT_TRUE(ends_at(1s)) << "a proxy's header is part of it";
    received(silent);
    EXPECT_TRUE(is_closed);
}

TEST_F(TlsConnections, IdleTimeAndHeaderTimeHoldHereToo) {
    limits_.idle_time = 20s;
    limits_.header_time = 5s;
    {
        const auto client = shake_hands();
        now_ += 19s;
        client->ask(tls_request);
        EXPECT_TRUE(ends_at(20s));
    }
    const auto client = shake_hands();
    client->ask("GET /");
    EXPECT_FALSE(set_.list.front().idle());
    EXPECT_TRUE(ends_at(5s));
}

TEST_F(TlsConnections, TheLastAnswerIsFollowedByTheEnd) {
    const auto client = shake_hands();
    EXPECT_TRUE(client->ask("GET / HTTP/1.0\r\n\r\n").ends_with("192.0.2.1"));
    EXPECT_TRUE(client->is_told_of_the_end());
    EXPECT_EQ(set_.list.size(), 0U);
}

TEST_F(TlsConnections, WhoStillSendsIsToldWhyFirst) {
    const auto client = shake_hands();
    EXPECT_TRUE(client->ask("nonsense\r\n\r\n").ends_with("BAD REQUEST"));
    EXPECT_TRUE(client->is_told_of_the_end());
    EXPECT_TRUE(is_closed) << "nothing more is sent";
    EXPECT_EQ(set_.list.size(), 1U) << "the client may still be sending";
    client->ask(std::string(10'000, 'x'));
    EXPECT_EQ(set_.list.size(), 1U);
    EXPECT_TRUE(ends_at(2s));
}

TEST_F(TlsConnections, AClientThatSaysTheEndHasIt) {
    const auto client = shake_hands();
    client->say_the_end();
    client->exchange();
    EXPECT_EQ(set_.list.size(), 0U);
    EXPECT_EQ(admission_.count(), 0U);
}

TEST_F(TlsConnections, ALateAnswerComesAsAnyOther) {
    std::vector<Later> deferred;
    handler_.answer = [&](const auto&, const auto& defer) {
        deferred.push_back(defer());
        return std::nullopt;
    };
    const auto client = shake_hands();
    EXPECT_EQ(client->ask(std::string(tls_request) + std::string(tls_request)), "");
    ASSERT_EQ(deferred.size(), 1U);
    deferred[0]({200, "late"});
    client->exchange();
    EXPECT_TRUE(client->text.ends_with("late"));
    ASSERT_EQ(deferred.size(), 2U);
    set_.list.front().abort();
    deferred[1]({200, "too late"});
    client->exchange();
    EXPECT_EQ(client->text.find("too late"), std::string::npos);
}

TEST_F(TlsConnections, ANewerCertificateIsForNewerConnections) {
    Client before(*this, connect());
    serve("second.example");
    Client after(*this, connect());
    before.exchange();
    after.exchange();
    EXPECT_EQ(before.certificate(), "first.example");
    EXPECT_EQ(after.certificate(), "second.example");
}

}  // namespace
