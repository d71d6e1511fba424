// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tsig_key.hpp"

#include <gmock/gmock.h>

using testing::HasSubstr;
using testing::Not;

namespace sftdyn::dns {
namespace {

constexpr const char* good_secret = "c2VjcmV0c2VjcmV0";

base::Result<TsigKey> make_key(const char* key_name, const char* algorithm,
                               const char* secret = good_secret) {
    return TsigKey::make(key_name, algorithm, base::Secret(secret));
}

struct Algorithm {
    const char* written;
    const char* meant;
    dnssec_tsig_algorithm_t number;
};

class TsigAlgorithm : public testing::TestWithParam<Algorithm> {};

TEST_P(TsigAlgorithm, IsKnownInAnyCase) {
    const auto key = make_key("k.example.org", GetParam().written);
    ASSERT_TRUE(key.has_value()) << key.error().what;
    EXPECT_EQ(key->algorithm(), GetParam().meant);
    EXPECT_EQ(key->raw().algorithm, GetParam().number);
    EXPECT_THAT(std::string(known_algorithms()), HasSubstr(GetParam().meant));
}

INSTANTIATE_TEST_SUITE_P(
    Names, TsigAlgorithm,
    testing::Values(Algorithm{"hmac-md5", "hmac-md5", DNSSEC_TSIG_HMAC_MD5},
                    Algorithm{"HMAC-MD5.SIG-ALG.REG.INT", "hmac-md5", DNSSEC_TSIG_HMAC_MD5},
                    Algorithm{"hmac-md5.sig-alg.reg.int.", "hmac-md5", DNSSEC_TSIG_HMAC_MD5},
                    Algorithm{"hmac-sha1", "hmac-sha1", DNSSEC_TSIG_HMAC_SHA1},
                    Algorithm{"hmac-sha224", "hmac-sha224", DNSSEC_TSIG_HMAC_SHA224},
                    Algorithm{"hmac-sha256", "hmac-sha256", DNSSEC_TSIG_HMAC_SHA256},
                    Algorithm{"Hmac-SHA256.", "hmac-sha256", DNSSEC_TSIG_HMAC_SHA256},
                    Algorithm{"hmac-sha384", "hmac-sha384", DNSSEC_TSIG_HMAC_SHA384},
                    Algorithm{"hmac-sha512", "hmac-sha512", DNSSEC_TSIG_HMAC_SHA512}));

TEST(TsigKey, HasTheNameAndTheSecretThatWereGiven) {
    const auto key = make_key("Router.Example.Org.", "hmac-sha256");
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->name(), "router.example.org");
    const dnssec_binary_t& secret = key->raw().secret;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(secret.data), secret.size), "secretsecret");
}

TEST(TsigKey, ANameThatIsNoneIsRefused) {
    const auto key = make_key("a..b", "hmac-sha256");
    ASSERT_TRUE(key.has_error());
    EXPECT_THAT(key.error().what, HasSubstr("not a domain name"));
}

TEST(TsigKey, AnUnknownAlgorithmIsNamedAsFarAsItIsShort) {
    const std::string written = "hmac-" + std::string(100, 'x');
    const auto key = make_key("k", written.c_str());
    ASSERT_TRUE(key.has_error());
    EXPECT_THAT(key.error().what, HasSubstr('"' + written.substr(0, 40) + '"'));
    EXPECT_EQ(key.error().remedy, std::string("use one of ") + known_algorithms());
}

TEST(TsigKey, ASecretThatIsNotBase64IsRefusedAndNotTold) {
    for (const char* secret : {"not base64!", "c2Vjc", "c2VjcmV0c2VjcmV0 c2Vj"}) {
        const auto key = make_key("k", "hmac-sha256", secret);
        ASSERT_TRUE(key.has_error()) << secret;
        EXPECT_THAT(key.error().what, HasSubstr("not Base64"));
        EXPECT_THAT(key.error().what + key.error().remedy, Not(HasSubstr(secret)));
    }
}

TEST(TsigKey, WhatWasMovedFromHoldsNothing) {
    auto key = make_key("k", "hmac-sha256");
    ASSERT_TRUE(key.has_value());
    const std::uint8_t* secret = key->raw().secret.data;
    const TsigKey other(std::move(*key));
    EXPECT_EQ(other.raw().secret.data, secret);
    EXPECT_EQ(other.name(), "k");
    EXPECT_EQ(key->raw().secret.data, nullptr);
    EXPECT_EQ(key->raw().name, nullptr);
}

}  // namespace
}  // namespace sftdyn::dns
