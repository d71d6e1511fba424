// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_pairs.hpp"

using namespace sftdyn::http;

namespace {

std::size_t chosen(const std::vector<TlsCertificate>& certificates, std::string_view name) {
    return static_cast<std::size_t>(&choose(certificates, name) - certificates.data());
}

TEST(Tls, TheCertificateIsChosenByName) {
    const std::vector<TlsCertificate> certificates{{nullptr, {"a.example", "www.a.example"}},
                                                   {nullptr, {"*.b.example"}},
                                                   {nullptr, {"x.b.example"}}};
    EXPECT_EQ(chosen(certificates, "a.example"), 0U);
    EXPECT_EQ(chosen(certificates, "WWW.A.Example"), 0U);
    EXPECT_EQ(chosen(certificates, "y.b.example"), 1U);
    EXPECT_EQ(chosen(certificates, "x.b.example"), 2U) << "its own name is closer than a wildcard";
    EXPECT_EQ(chosen(certificates, "y.z.b.example"), 0U) << "a wildcard is for one label";
    EXPECT_EQ(chosen(certificates, "b.example"), 0U);
    EXPECT_EQ(chosen(certificates, ".b.example"), 0U);
    EXPECT_EQ(chosen(certificates, ""), 0U);
}

/// A pair on each curve: it fits together, but not every curve is TLS's (RFC 8446 §4.2.7).
class CertificateOnACurve : public testing::TestWithParam<std::pair<const char*, bool>> {};
TEST_P(CertificateOnACurve, IsTakenIfAClientCanUseIt) {
    const auto [curve, usable] = GetParam();
    const TestKey key = make_test_key(curve);
    const PairFolder folder;
    folder.write(make_test_certificate(key.get()), pem_of(key.get()));
    const auto certificate = read_certificate(folder.cert(), folder.key());
    ASSERT_EQ(certificate.has_value(), usable);
    if (usable) return;
    EXPECT_THAT(certificate.error().text(),
                testing::AllOf(testing::HasSubstr(folder.cert()),
                               testing::HasSubstr("no TLS client could use"),
                               testing::HasSubstr("ECDSA P-256")));
}
INSTANTIATE_TEST_SUITE_P(Curves, CertificateOnACurve,
                         testing::Values(std::pair("prime256v1", true),
                                         std::pair("secp384r1", true), std::pair("secp521r1", true),
                                         std::pair("secp256k1", false),
                                         std::pair("secp224r1", false)),
                         [](const auto& one) { return std::string(one.param.first); });

}  // namespace
