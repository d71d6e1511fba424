// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/tls_pair.hpp"

#include <map>
#include <tuple>

#include <gtest/gtest.h>

#include "http/test_pairs.hpp"
#include "http/tls.hpp"

using namespace sftdyn;
using namespace sftdyn::http;

namespace {

struct Made {
    std::string key, cert;
};

/// A pair of each kind, made once.
const Made& made(const std::string& kind) {
    static std::map<std::string, Made> all;
    const auto [found, fresh] = all.try_emplace(kind);
    if (fresh) {
        const TestKey key = make_test_key(kind.substr(0, kind.find(' ')));
        found->second = {pem_of(key.get()), make_test_certificate(key.get())};
    }
    return found->second;
}

/// What is said of the pair, or nothing. `read_certificate` must say the same, and serve what is
/// good.
std::string error_of(const std::string& cert, const std::string& key) {
    const PairFolder folder;
    folder.write(cert, key);
    const auto pair = read_pair(folder.cert(), folder.key());
    const auto certificate = read_certificate(folder.cert(), folder.key());
    EXPECT_EQ(pair.has_error(), certificate.has_error());
    if (!pair.has_error()) {
        EXPECT_GE(time_left(*certificate).count(), 86000);
        return "";
    }
    EXPECT_EQ(pair.error().text(), certificate.error().text());
    EXPECT_TRUE(pair.error().where == folder.cert() || pair.error().where == folder.key());
    EXPECT_FALSE(pair.error().remedy.empty());
    return pair.error().what;
}

class EveryPair : public testing::TestWithParam<std::tuple<const char*, const char*>> {};
TEST_P(EveryPair, OfKinds) {
    const std::string cert = std::get<0>(GetParam()), key = std::get<1>(GetParam());
    const std::string error = error_of(made(cert).cert, made(key).key);
    if (cert == key) {
        EXPECT_EQ(error, "");
    } else {
        EXPECT_NE(error.find("the private key does not fit the certificate"), std::string::npos)
            << error;
    }
}
const char* const kinds[] = {"RSA", "RSA 2", "EC", "EC 2", "ED25519", "ED25519 2", "ED448"};
INSTANTIATE_TEST_SUITE_P(TlsPair, EveryPair,
                         testing::Combine(testing::ValuesIn(kinds), testing::ValuesIn(kinds)));

TEST(TlsPair, AKeyThatTlsDoesNotSignWith) {
    EXPECT_NE(
        error_of(made("EC").cert, made("X25519").key).find("TLS has no use for a key of its kind"),
        std::string::npos);
}

TEST(TlsPair, AnEncryptedKey) {
    const TestKey key = make_test_key("RSA");
    for (const char* kind : {"RSA", "EC", "ED25519"})
        EXPECT_EQ(error_of(made(kind).cert, pem_of(key.get(), "topsecret")),
                  "the private key is encrypted");
}

TEST(TlsPair, TheOrderOfTheChain) {
    const TestKey root = make_test_key("EC");
    const std::string authority = make_test_certificate(root.get(), "authority", true);
    const auto& pair = made("RSA");
    EXPECT_EQ(error_of(pair.cert + authority, pair.key), "");
    const std::string without = error_of(authority, pair.key),
                      behind = error_of(authority + pair.cert, pair.key);
    EXPECT_TRUE(without.starts_with("the private key does not fit the certificate") &&
                without.ends_with("which is an authority's"))
        << without;
    EXPECT_TRUE(behind.ends_with("it is for number 2 of those in the file")) << behind;
}

TEST(TlsPair, WhatStandsBesideACertificate) {
    const auto& pair = made("EC");
    EXPECT_EQ(error_of("Bag Attributes\n  friendlyName: x\n" + pair.cert + "\n# a comment\n",
                       "a comment\n" + pair.key + "\n"),
              "");
    EXPECT_EQ(error_of(pair.key + pair.cert, pair.cert + pair.key), "") << "both in both files";
}

TEST(TlsPair, AFileThatIsNotThere) {
    const PairFolder folder;
    EXPECT_EQ(read_pair(folder.cert(), folder.key()).error().what,
              "the certificate can't be read: No such file or directory");
    folder.write(made("EC").cert, "");
    std::filesystem::remove(folder.key());
    EXPECT_EQ(read_pair(folder.cert(), folder.key()).error().what,
              "the private key can't be read: No such file or directory");
    EXPECT_EQ(read_pair("/", folder.key()).error().what,
              "the certificate can't be read: it is not a regular file");
}

TEST(TlsPair, AnEmptyFile) {
    EXPECT_EQ(error_of("", made("EC").key), "the certificate is not usable: the file is empty");
    EXPECT_EQ(error_of(made("EC").cert, ""), "the private key is not usable: the file is empty");
    EXPECT_EQ(error_of(std::string(2 << 20, 'x'), made("EC").key),
              "the certificate is not usable: the file is larger than 1 MiB");
    EXPECT_EQ(error_of("nonsense", made("EC").key),
              "the certificate is not usable: there is no certificate in it");
    EXPECT_EQ(error_of(made("EC").cert, "nonsense"),
              "the private key is not usable: there is no private key in it");
    EXPECT_EQ(error_of(made("EC").cert, made("EC").cert),
              "the private key is not usable: there is a certificate in it, and no private key");
    EXPECT_EQ(error_of(made("EC").key, made("EC").key),
              "the certificate is not usable: there is a private key in it, and no certificate");
}

class HalfWritten : public testing::TestWithParam<const char*> {};
TEST_P(HalfWritten, IsNotUsable) {
    const auto& pair = made(GetParam());
    const TestKey root = make_test_key("EC");
    const std::string chain = pair.cert + make_test_certificate(root.get(), "authority", true);
    // Where the certificate is whole, and no other has begun, nobody can tell.
    for (std::size_t size = 0; size < chain.size() - 1; size += 7) {
        const bool whole = size + 1 >= pair.cert.size() && size <= pair.cert.size() + 1;
        const std::string error = error_of(chain.substr(0, size), pair.key);
        EXPECT_TRUE(whole || error.starts_with("the certificate is not usable: "))
            << size << " of " << chain.size() << ": " << error;
    }
    for (std::size_t size = 0; size < pair.key.size() - 1; size += 7) {
        const std::string error = error_of(pair.cert, pair.key.substr(0, size));
        EXPECT_TRUE(error.starts_with("the private key is not usable: "))
            << size << " of " << pair.key.size() << ": " << error;
    }
}
INSTANTIATE_TEST_SUITE_P(TlsPair, HalfWritten, testing::Values("RSA", "EC", "ED25519"));

}  // namespace
