// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/ticket_keys.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "http/test_pairs.hpp"
#include "http/tls.hpp"

using namespace sftdyn;
using namespace sftdyn::http;
using namespace std::chrono_literals;

namespace {

struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

/// A client and a server that speak in memory.
class Handshakes : public testing::TestWithParam<int> {
protected:
    Handshakes() : client_(SSL_CTX_new(TLS_client_method())), key_(make_test_key("EC")) {
        SSL_CTX_set_min_proto_version(client_.get(), GetParam());
        SSL_CTX_set_max_proto_version(client_.get(), GetParam());
        folder_.write(make_test_certificate(key_.get()), pem_of(key_.get()));
    }

    TlsContext context(const std::shared_ptr<TicketKeys>& keys) {
        auto certificate = read_certificate(folder_.cert(), folder_.key(), keys);
        return std::make_shared<const std::vector<TlsCertificate>>(
            std::vector<TlsCertificate>{*certificate});
    }

    /// Whether `session` was resumed; it is the new one afterwards.
    bool resumes(const TlsContext& context, Owned<SSL_SESSION>& session) {
        const auto server = new_tls(context);
        const Owned<SSL> client(SSL_new(client_.get()));
        BIO *one = nullptr, *other = nullptr;
        BIO_new_bio_pair(&one, 0, &other, 0);
        SSL_set_bio(server.get(), one, one);
        SSL_set_bio(client.get(), other, other);
        SSL_set_accept_state(server.get());
        SSL_set_connect_state(client.get());
        if (session) SSL_set_session(client.get(), session.get());
        for (int round = 0; round < 10; ++round) {
            SSL_do_handshake(client.get());
            SSL_do_handshake(server.get());
        }
        EXPECT_TRUE(SSL_is_init_finished(client.get()) && SSL_is_init_finished(server.get()));
        char octet = 0;
        SSL_read(client.get(), &octet, 1);  // TLS 1.3 sends tickets behind the handshake
        const bool out = SSL_session_reused(client.get()) == 1;
        session.reset(SSL_get1_session(client.get()));
        SSL_set_shutdown(client.get(),
                         SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // the session stays good
        SSL_set_shutdown(server.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        return out;
    }

    Owned<SSL_CTX> client_;
    TestKey key_;
    PairFolder folder_;
    base::TimePoint now_ = base::Clock::now();
};

TEST_P(Handshakes, ATicketIsGoodForAnHourAndItsKeyForTwo) {
    const auto keys = std::make_shared<TicketKeys>(now_);
    const auto server = context(keys);
    Owned<SSL_SESSION> session;
    EXPECT_FALSE(resumes(server, session));
    keys->rotate(now_ + 59min);
    EXPECT_TRUE(resumes(server, session));
    Owned<SSL_SESSION> old(SSL_SESSION_dup(session.get()));
    keys->rotate(now_ + 60min);
    EXPECT_TRUE(resumes(server, session)) << "the previous key opens";
    // The client has got a ticket of the new key, and the old one's time is over.
    keys->rotate(now_ + 120min);
    EXPECT_TRUE(resumes(server, session));
    EXPECT_FALSE(resumes(server, old));
}

TEST_P(Handshakes, AServerThatNobodyTalksToForgetsItsKeys) {
    const auto keys = std::make_shared<TicketKeys>(now_);
    const auto server = context(keys);
    Owned<SSL_SESSION> session;
    EXPECT_FALSE(resumes(server, session));
    keys->rotate(now_ + 121min);
    EXPECT_FALSE(resumes(server, session)) << "in one step, too";
}

TEST_P(Handshakes, AReadAnewCertificateKeepsTheKeys) {
    const auto keys = std::make_shared<TicketKeys>(now_);
    Owned<SSL_SESSION> session;
    EXPECT_FALSE(resumes(context(keys), session));
    EXPECT_TRUE(resumes(context(keys), session));
    EXPECT_FALSE(resumes(context(std::make_shared<TicketKeys>(now_)), session));
}

TEST_P(Handshakes, WithoutKeysThereAreNoTickets) {
    Owned<SSL_SESSION> session;
    const auto server = context({});
    EXPECT_FALSE(resumes(server, session));
    EXPECT_FALSE(resumes(server, session));
}

INSTANTIATE_TEST_SUITE_P(TicketKeys, Handshakes, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
