// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/tls.hpp"

#include <gtest/gtest.h>

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

}  // namespace
