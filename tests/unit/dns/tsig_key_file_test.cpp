// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tsig_key_file.hpp"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "temporary_folder.hpp"

using namespace sftdyn;
using dns::parse_bind_key;
using dns::parse_private_key;

namespace {

constexpr const char* secret = "c2VjcmV0c2VjcmV0";

std::string error_of(const base::Result<dns::TsigKey>& key) {
    return key.has_error() ? key.error().text() : "no error";
}

TEST(BindKey, EachAlgorithm) {
    for (const std::string algorithm :
         {"hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"}) {
        const auto key = parse_bind_key(
            "key \"k\" { algorithm " + algorithm + "; secret \"" + secret + "\"; };", "f");
        ASSERT_TRUE(key.has_value()) << error_of(key);
        EXPECT_EQ(key->algorithm(), algorithm);
        EXPECT_EQ(key->name(), "k");
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(key->raw().secret.data),
                              key->raw().secret.size),
                  "secretsecret");
    }
}

TEST(BindKey, FormsThatNamedTakes) {
    for (const std::string text : {
             "key k{algorithm HMAC-SHA256;secret \"c2VjcmV0c2VjcmV0\";};",
             "# comment\nkey k {\n\tsecret c2VjcmV0c2VjcmV0; // bare\n\talgorithm \"hmac-sha256\"; "
             "/* and\nthis */\n};\n",
             "key \"k.\" { algorithm hmac-sha256.; secret \"c2VjcmV0c2VjcmV0\"; };",
             "key k { algorithm hmac-sha256; secret \"c2Vj cmV0\n\tc2VjcmV0 \"; };",
             "key k { algorithm hmac-md5.sig-alg.reg.int; secret \"c2VjcmV0c2VjcmV0\"; };",
         }) {
        const auto key = parse_bind_key(text, "f");
        ASSERT_TRUE(key.has_value()) << text << error_of(key);
        EXPECT_EQ(key->name(), "k");
    }
}

TEST(BindKey, ErrorsTellPlaceAndMend) {
    EXPECT_EQ(error_of(parse_bind_key("key k {\nalgorithm hmac-sha256;\nfoo bar;\n};", "f")),
              "f:3: expected algorithm or secret; expected: key \"name\" { algorithm hmac-sha256; "
              "secret \"…\"; };");
    EXPECT_NE(error_of(parse_bind_key("key k { algorithm hmac-sha256; secret \"c2Vj\"; }", "f"))
                  .find("the file ends where \";\" should be"),
              std::string::npos);
    EXPECT_NE(error_of(parse_bind_key(
                           "key a { algorithm hmac-sha1; secret \"c2Vj\"; };\nkey b { };", "f"))
                  .find("f:2: there is more after the key"),
              std::string::npos);
    EXPECT_NE(error_of(parse_bind_key("options { };", "f")).find("f:1: this is not a TSIG key"),
              std::string::npos);
    EXPECT_NE(
        error_of(parse_bind_key("key \"a..b\" { algorithm hmac-sha1; secret \"c2Vj\"; };", "f"))
            .find("the key's name is not a domain name"),
        std::string::npos);
}

TEST(BindKey, ErrorsNeverHoldTheSecret) {
    for (const std::string text : {"key k { algorithm hmac-sha256; secret \"SECRETsecret\"; } x",
                                   "key k { secret \"SECRETsecret\"; };",
                                   "key k { algorithm none; secret \"SECRETsecret\"; };",
                                   "key k { algorithm hmac-sha1; secret \"SECRETsecret!\"; };",
                                   "key k { algorithm hmac-sha1; secret SECRETsecret"}) {
        const auto key = parse_bind_key(text, "f");
        ASSERT_TRUE(key.has_error()) << text;
        EXPECT_EQ(key.error().text().find("SECRET"), std::string::npos) << key.error().text();
    }
}

TEST(BindKey, Base64IsChecked) {
    for (const std::string bad :
         {"c2V", "c2Vj=", "=c2V", "c2V=j", "c2Vjc===", "c2 V", "c2Vjcm-_"}) {
        EXPECT_NE(
            error_of(parse_bind_key("key k { algorithm hmac-sha1; secret \"" + bad + "\"; };", "f"))
                .find("not Base64"),
            std::string::npos)
            << bad;
    }
}

TEST(PrivateKey, AsDnssecKeygenWritesIt) {
    const auto key = parse_private_key(
        "Private-key-format: v1.3\nAlgorithm: 165 (HMAC_SHA512)\nKey: c2VjcmV0c2VjcmV0\nBits: "
        "AAA=\n",
        "/x/Kfoo.bar.+165+00042.private");
    ASSERT_TRUE(key.has_value()) << error_of(key);
    EXPECT_EQ(key->name(), "foo.bar");
    EXPECT_EQ(key->algorithm(), "hmac-sha512");
}

TEST(PrivateKey, Errors) {
    EXPECT_NE(error_of(parse_private_key("Algorithm: 165\nKey: c2Vj\n", "plain.private"))
                  .find("does not tell the key's name"),
              std::string::npos);
    EXPECT_NE(error_of(parse_private_key("x\nAlgorithm: 8 (RSASHA256)\n", "Kk.+008+1.private"))
                  .find("Kk.+008+1.private:2: the key's algorithm is not one for TSIG"),
              std::string::npos);
    EXPECT_NE(error_of(parse_private_key("Algorithm: 163\n", "Kk.+163+1.private"))
                  .find("no \"Key:\" line"),
              std::string::npos);
    EXPECT_NE(error_of(parse_private_key("Key: c2Vj\n", "Kk.+163+1.private"))
                  .find("no \"Algorithm:\" line"),
              std::string::npos);
}

TEST(KeyFilePath, EitherFileOfAPair) {
    EXPECT_EQ(dns::key_file_path("/x/Kk.+163+1.key"), "/x/Kk.+163+1.private");
    EXPECT_EQ(dns::key_file_path("/x/Kk.+163+1"), "/x/Kk.+163+1.private");
    EXPECT_EQ(dns::key_file_path("/x/Kk.+163+1.private"), "/x/Kk.+163+1.private");
    EXPECT_EQ(dns::key_file_path("/x/sftdyn.key"), "/x/sftdyn.key");
}

TEST(KeyFile, MissingFileNamesPathAndUser) {
    const auto key = dns::read_key_file("/nonexistent/file");
    EXPECT_NE(error_of(key).find("/nonexistent/file: the key file can't be read as user "),
              std::string::npos);
    EXPECT_NE(error_of(key).find("No such file"), std::string::npos);
}

TEST(KeyFile, ItMayIncludeAnother) {
    const TemporaryFolder folder;
    const std::string key =
        folder.write("a.key", "key k { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0\"; };\n");
    for (const std::string& name : {std::string("a.key"), key}) {
        const std::string outer = folder.write("b.key", "// see\ninclude \"" + name + "\";\n");
        const auto read = dns::read_key_file(outer);
        ASSERT_TRUE(read.has_value()) << error_of(read);
        EXPECT_EQ(read->name(), "k");
        EXPECT_EQ(dns::key_file_parts(outer), (std::vector<std::string>{outer, key}));
    }
}

TEST(KeyFile, WhatIsWrongWithAnIncludeIsSaid) {
    const TemporaryFolder folder;
    const std::string self = folder.write("self.key", "include \"self.key\";\n");
    EXPECT_NE(error_of(dns::read_key_file(self)).find("too many files"), std::string::npos);
    const std::string missing = folder.write("missing.key", "include \"none.key\";\n");
    EXPECT_NE(error_of(dns::read_key_file(missing)).find("none.key: the key file can't be read"),
              std::string::npos);
    const std::string more = folder.write("more.key", "include \"self.key\"; key x { };\n");
    EXPECT_TRUE(dns::read_key_file(more).has_error());
    EXPECT_NE(error_of(parse_bind_key("include \"x\";", "f")).find("f:1: include can't be used"),
              std::string::npos);
}

TEST(KeyFile, AFolderAndAHugeFileAreErrors) {
    EXPECT_TRUE(dns::read_key_file("/tmp").has_error());
    const TemporaryFolder folder;
    const std::string huge = folder.write("huge.key", std::string(1 << 20, ' '));
    EXPECT_NE(error_of(dns::read_key_file(huge)).find("too large"), std::string::npos);
}

TEST(KeyFile, APipeOrADeviceIsNotWaitedFor) {
    const TemporaryFolder folder;
    const std::string pipe = folder / "pipe";
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    for (const std::string& path : {pipe, std::string("/dev/zero")})
        EXPECT_NE(error_of(dns::read_key_file(path)).find("is not a regular file"),
                  std::string::npos)
            << path;
}

}  // namespace
