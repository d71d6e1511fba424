// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/cert.hpp"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include <gmock/gmock.h>

#include "commands/run_command.hpp"
#include "http/tls.hpp"
#include "temporary_folder.hpp"

namespace sftdyn::commands {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct FreeX509 {
    void operator()(X509* certificate) const { X509_free(certificate); }
};

class CertTest : public testing::Test {
protected:
    [[nodiscard]] Ran cert(std::vector<std::string> words) const {
        words.insert(words.begin(), {"cert", "--dir", folder.path().string()});
        return run_command(words);
    }
    [[nodiscard]] std::unique_ptr<X509, FreeX509> made() const {
        BIO* file = BIO_new_file(cert_file.c_str(), "r");
        std::unique_ptr<X509, FreeX509> out(PEM_read_bio_X509(file, nullptr, nullptr, nullptr));
        BIO_free(file);
        return out;
    }
    static unsigned mode_of(const std::string& path) {
        struct stat status {};
        return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
    }

    const TemporaryFolder folder;
    const std::string key_file = folder / "server.key", cert_file = folder / "server.crt";
};

TEST_F(CertTest, ThePairIsReadyForHttps) {
    const Ran ran = cert({"Dyn.example.org", "192.0.2.1", "2001:db8::1", "*.example.net"});
    EXPECT_EQ(ran.status, 0) << ran.err;
    const auto read = http::read_certificate(cert_file, key_file);
    ASSERT_FALSE(read.has_error()) << read.error().text();
    EXPECT_THAT(read->names, ElementsAre("dyn.example.org", "*.example.net"));
    EXPECT_EQ(mode_of(key_file), 0600U);
    EXPECT_EQ(mode_of(cert_file), 0644U);
    const auto certificate = made();
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), "192.0.2.1", 0), 1);
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), "2001:db8::1", 0), 1);
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), "192.0.2.2", 0), 0);
    EXPECT_EQ(X509_get_extension_flags(certificate.get()) & EXFLAG_CA, 0U) << "it signs no other";
    EXPECT_EQ(X509_get_key_usage(certificate.get()), unsigned{KU_DIGITAL_SIGNATURE});
    EXPECT_EQ(X509_get_extended_key_usage(certificate.get()), unsigned{XKU_SSL_SERVER});
    EXPECT_EQ(X509_get_version(certificate.get()), X509_VERSION_3);
}

TEST_F(CertTest, ItSaysWhatToDoWithThem) {
    const Ran ran = cert({"2001:db8::1", "--days", "30"});
    EXPECT_EQ(ran.status, 0);
    EXPECT_THAT(ran.out, HasSubstr(key_file + " (keep it secret)"));
    EXPECT_THAT(ran.out, HasSubstr("valid for 30 days"));
    EXPECT_THAT(ran.out, HasSubstr("  cert = \"" + cert_file + "\"\n  key = \"" + key_file + "\""));
    EXPECT_THAT(ran.out, HasSubstr("https://[2001:db8::1]:4443/yourkey"));
    EXPECT_EQ(ran.err, "");
}

TEST_F(CertTest, ItIsValidForAsManyDaysAsItIsTold) {
    ASSERT_EQ(cert({"dyn.example.org", "--days", "30"}).status, 0);
    const auto certificate = made();
    int days = 0, seconds = 0;
    ASSERT_EQ(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate.get()),
                             X509_get0_notAfter(certificate.get())),
              1);
    EXPECT_EQ(days, 30);
    EXPECT_EQ(seconds, 3600) << "an hour before now, for clocks that are late";
    for (const char* wrong : {"0", "36501", "x"})
        EXPECT_EQ(cert({"dyn.example.org", "--days", wrong}).status, 2) << wrong;
}

TEST_F(CertTest, NothingIsOverwritten) {
    ASSERT_EQ(cert({"dyn.example.org"}).status, 0);
    const std::string key = text_of_file(key_file), certificate = text_of_file(cert_file);
    const Ran again = cert({"dyn.example.org"});
    EXPECT_EQ(again.status, 1);
    EXPECT_THAT(again.err, HasSubstr(cert_file + ": can't be made: File exists; move the old one "
                                                 "away first, or choose another folder"));
    EXPECT_EQ(text_of_file(key_file), key);
    EXPECT_EQ(text_of_file(cert_file), certificate);
}

TEST_F(CertTest, AKeyThatIsThereGetsACertificate) {
    ASSERT_EQ(cert({"dyn.example.org"}).status, 0);
    const std::string key = text_of_file(key_file);
    std::filesystem::remove(cert_file);
    const Ran again = cert({"other.example.org"});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("already exists: the certificate is made for it"));
    EXPECT_EQ(text_of_file(key_file), key);
    const auto read = http::read_certificate(cert_file, key_file);
    ASSERT_FALSE(read.has_error());
    EXPECT_THAT(read->names, ElementsAre("other.example.org"));
}

TEST_F(CertTest, WhatIsNoKeyIsNotTouchedAndNothingIsMade) {
    folder.write("server.key", "something else");
    const Ran ran = cert({"dyn.example.org"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.err, HasSubstr("already exists, and is no private key that can be used"));
    EXPECT_EQ(text_of_file(key_file), "something else");
    EXPECT_FALSE(std::filesystem::exists(cert_file));
}

/// Somebody else laid it there, for whoever makes a certificate to use.
TEST_F(CertTest, AKeyThatOthersHadAHandInIsNotUsed) {
    ASSERT_EQ(cert({"dyn.example.org"}).status, 0);
    std::filesystem::remove(cert_file);
    const auto is_refused = [this](const char* why) {
        const Ran ran = cert({"dyn.example.org"});
        EXPECT_EQ(ran.status, 1) << why;
        EXPECT_THAT(ran.err, HasSubstr(key_file + ": already exists, and "));
        EXPECT_THAT(ran.err, HasSubstr(why));
        EXPECT_THAT(ran.err, HasSubstr("choose another folder with --dir"));
        EXPECT_FALSE(std::filesystem::exists(cert_file)) << why;
    };
    ASSERT_EQ(chmod(key_file.c_str(), 0620), 0);
    is_refused("others may write to it");
    ASSERT_EQ(chmod(key_file.c_str(), 0600), 0);
    std::filesystem::rename(key_file, folder / "other.key");
    std::filesystem::create_symlink(folder / "other.key", key_file);
    is_refused("is a symbolic link");
    std::filesystem::remove(key_file);
    ASSERT_EQ(mkfifo(key_file.c_str(), 0600), 0);
    is_refused("is not a regular file");
}

TEST_F(CertTest, AFolderThatIsNotThereIsCalledThat) {
    const Ran ran = run_command({"cert", "--dir", folder / "none", "dyn.example.org"});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.err, (folder / "none") +
                           ": there is no such folder; create it first, or choose "
                           "another folder with --dir\n");
}

TEST_F(CertTest, TheExampleNamesAHostThatThereCanBe) {
    EXPECT_THAT(cert({"*.example.org"}).out, HasSubstr("https://home.example.org:4443/yourkey"));
    std::filesystem::remove(cert_file);
    EXPECT_THAT(cert({"*.example.org", "::1"}).out, HasSubstr("https://[::1]:4443/yourkey"));
}

TEST_F(CertTest, ANameThatIsNoneMakesNothing) {
    for (const char* host : {"a..b", "a b", "a/b"}) {
        const Ran ran = cert({"good.example.org", host});
        EXPECT_EQ(ran.status, 1) << host;
        EXPECT_FALSE(ran.err.empty());
    }
    EXPECT_TRUE(folder.empty());
}

}  // namespace
}  // namespace sftdyn::commands
