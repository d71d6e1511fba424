// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/certificate_watcher.hpp"

#include <gmock/gmock.h>

#include "captured_log.hpp"
#include "http/test_pairs.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CertificateWatcherTest : public testing::Test {
protected:
    /// A certificate with a new key.
    static void write(const http::PairFolder& to, const char* name = "localhost",
                      std::chrono::seconds time = 30 * 24h) {
        const auto key = http::make_test_key("EC");
        to.write(http::make_test_certificate(key.get(), name, false, time),
                 http::pem_of(key.get()));
    }
    static CertificateWatcher::Files files(const http::PairFolder& of) {
        return {of.cert(), of.key()};
    }
    /// That are served with, by their subject.
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        if (given.empty()) return found;
        for (const auto& certificate : *given.back()) {
            const X509* x509 = SSL_CTX_get0_certificate(certificate.context->native_handle());
            std::array<char, 100> name{};
            X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name.data(),
                                      name.size());
            found.emplace_back(name.data());
        }
        return found;
    }

    CapturedLog log;
    http::PairFolder first, second;
    base::TimePoint now{1000h};
    std::vector<http::TlsContext> given;
    boost::asio::io_context io{1};
    CertificateWatcher watcher{io, [this](const auto& context) { given.push_back(context); },
                               [this] { return now; }};
};

TEST_F(CertificateWatcherTest, TheCertificatesAreGivenInTheirOrder) {
    write(first, "one");
    write(second, "two");
    EXPECT_TRUE(watcher.use({files(first), files(second)}));
    EXPECT_EQ(given.size(), 1U);
    EXPECT_THAT(names(), ElementsAre("one", "two"));
    EXPECT_THAT(log.lines(""), IsEmpty());
}

TEST_F(CertificateWatcherTest, WithOneThatIsNotUsableNothingChanges) {
    write(first, "one");
    EXPECT_FALSE(watcher.use({files(second), files(first)}));
    EXPECT_THAT(log.lines("error"), ElementsAre(HasSubstr(second.cert())));
    EXPECT_THAT(given, IsEmpty());

    EXPECT_TRUE(watcher.use({files(first)}));
    http::PairFolder third;
    write(third, "three");
    EXPECT_FALSE(watcher.use({files(third), files(second)}));
    EXPECT_EQ(given.size(), 1U);
    EXPECT_THAT(names(), ElementsAre("one"));
    write(third, "newer");
    write(second, "two");
    watcher.look();
    EXPECT_EQ(given.size(), 1U) << "they are not looked at";
    write(first, "newest");
    watcher.look();
    EXPECT_THAT(names(), ElementsAre("newest")) << "and what is in use is";
}

TEST_F(CertificateWatcherTest, NewFilesAreReadAndOldOnesAreNot) {
    write(first, "one");
    write(second, "two");
    EXPECT_TRUE(watcher.use({files(first), files(second)}));
    const auto* const kept = (*given.back())[1].context.get();
    watcher.look();
    EXPECT_EQ(given.size(), 1U);
    write(first, "newer");
    watcher.look();
    EXPECT_EQ(given.size(), 2U);
    EXPECT_THAT(names(), ElementsAre("newer", "two"));
    EXPECT_EQ((*given.back())[1].context.get(), kept);
    EXPECT_THAT(log.lines(""),
                ElementsAre("info: " + first.cert() + ": the certificate was reloaded"));
    watcher.look();
    EXPECT_EQ(given.size(), 2U);
}

TEST_F(CertificateWatcherTest, AnUnusableFileIsToldOfOnceAndWhatIsInUseStays) {
    write(first, "one");
    EXPECT_TRUE(watcher.use({files(first)}));
    first.write("no certificate", "no key");
    for (int i = 0; i < 3; ++i) watcher.look();
    EXPECT_EQ(given.size(), 1U);
    EXPECT_THAT(log.lines(""),
                ElementsAre(testing::AllOf(testing::StartsWith("error: "),
                                           HasSubstr("(the certificate in use stays)"))));
    EXPECT_EQ(watcher.expiry().size(), 1U);
    EXPECT_FALSE(watcher.use({files(first)})) << "a reload is refused, and says it again";
    EXPECT_THAT(log.lines("error"), ElementsAre(HasSubstr("(the certificate in use stays)")));
    EXPECT_EQ(watcher.expiry().size(), 1U);
    EXPECT_THAT(names(), ElementsAre("one"));
    write(first, "newer");
    watcher.look();
    EXPECT_THAT(names(), ElementsAre("newer"));
}

TEST_F(CertificateWatcherTest, WhatTheSettingsNameNoMoreIsGone) {
    write(first, "one");
    write(second, "two");
    EXPECT_TRUE(watcher.use({files(first), files(second)}));
    EXPECT_TRUE(watcher.use({files(second)}));
    EXPECT_THAT(names(), ElementsAre("two"));
    EXPECT_EQ(watcher.expiry().size(), 1U);
}

struct Expiry {
    const char* name;
    std::chrono::seconds left;
    const char* warning;  ///< empty: none
};
class Expiries : public CertificateWatcherTest, public testing::WithParamInterface<Expiry> {};

TEST_P(Expiries, AreWarnedOfInTheLastTwoWeeks) {
    write(first, "one", GetParam().left);
    EXPECT_TRUE(watcher.use({files(first)}));
    const auto warnings = log.lines("");
    if (*GetParam().warning == '\0') {
        EXPECT_THAT(warnings, IsEmpty());
    } else {
        EXPECT_THAT(warnings, ElementsAre("warning: " + first.cert() + ": " + GetParam().warning));
    }
}
// A minute to both sides of each bound: the certificates' own clock is the machine's.
INSTANTIATE_TEST_SUITE_P(
    CertificateWatcher, Expiries,
    testing::Values(Expiry{"MoreThanTwoWeeks", 14 * 24h + 60s, ""},
                    Expiry{"TwoWeeks", 14 * 24h - 60s,
                           "the certificate expires in 13 days; renew it"},
                    Expiry{"TwoDays", 48h + 60s, "the certificate expires in 2 days; renew it"},
                    Expiry{"OneDay", 48h - 60s, "the certificate expires in 1 day; renew it"},
                    Expiry{"Today", 24h - 60s, "the certificate expires in 0 days; renew it"},
                    Expiry{"Over", -30s, "the certificate has expired; renew it"}),
    [](const auto& row) { return row.param.name; });

TEST_F(CertificateWatcherTest, AWarningIsRepeatedEachDay) {
    write(first, "one", 24h);
    EXPECT_TRUE(watcher.use({files(first)}));
    EXPECT_EQ(log.lines("warning").size(), 1U);
    now += 24h - base::Duration(1);
    watcher.look();
    EXPECT_THAT(log.lines(""), IsEmpty());
    now += base::Duration(1);
    watcher.look();
    EXPECT_EQ(log.lines("warning").size(), 1U);
    now += 1h;
    watcher.look();
    EXPECT_THAT(log.lines(""), IsEmpty());
    write(first, "newer", 24h);
    watcher.look();
    EXPECT_EQ(log.lines("warning").size(), 1U) << "of a new one at once";
}

TEST_F(CertificateWatcherTest, EachIsKnownByItsFirstNameElseByItsFile) {
    write(first, "no DNS name in it", 10h);
    EXPECT_TRUE(watcher.use({files(first)}));
    const auto all = watcher.expiry();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all.begin()->first, first.cert());
    const auto left = std::chrono::seconds(all.begin()->second - std::time(nullptr));
    EXPECT_LE(left, 10h);
    EXPECT_GT(left, 9h);
}

TEST_F(CertificateWatcherTest, OfSeveralWithOneNameTheFirstToExpireCounts) {
    for (const auto& [time_of_first, time_of_second] :
         {std::pair(10h, 100h), std::pair(100h, 10h)}) {
        const auto write_named = [](const http::PairFolder& to, std::chrono::seconds time) {
            const auto key = http::make_test_key("EC");
            to.write(http::make_test_certificate(key.get(), "x", false, time, "a.example"),
                     http::pem_of(key.get()));
        };
        write_named(first, time_of_first);
        write_named(second, time_of_second);
        EXPECT_TRUE(watcher.use({files(first), files(second)}));
        const auto all = watcher.expiry();
        ASSERT_EQ(all.size(), 1U);
        EXPECT_EQ(all.begin()->first, "a.example");
        const auto left = std::chrono::seconds(all.begin()->second - std::time(nullptr));
        EXPECT_LE(left, 10h);
        EXPECT_GT(left, 9h);
    }
}

TEST_F(CertificateWatcherTest, AllCertificatesOldAndNewShareTheirTicketKeys) {
    write(first, "one");
    EXPECT_TRUE(watcher.use({files(first)}));
    const auto keys = (*given.back())[0].tickets;
    ASSERT_NE(keys, nullptr);
    write(first, "newer");
    watcher.look();
    EXPECT_EQ((*given.back())[0].tickets, keys);
}

}  // namespace
}  // namespace sftdyn::server
