// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dialects.hpp"

#include <gtest/gtest.h>

#include "protocol/dyndns_request.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::protocol {
namespace {

AddressUpdate update_of_row(std::string_view target, std::string_view authorization) {
    return std::get<AddressUpdate>(read_address_update(
        {"GET", target, boost::asio::ip::make_address("192.0.2.99"), authorization, {}}));
}

/// Each row of the table can be reached.
TEST(Dialects, EachRowIsFound) {
    for (const auto& row : dialect_rows()) {
        std::string target = "/" + std::string(row.path == "*" ? "any/path" : row.path);
        for (const auto& [from, to] :
             {std::pair("{host}", "a.b"), {"{key}", "k"}, {"{ip}", "1.2.3.4"}})
            if (const auto at = target.find(from); at != std::string::npos)
                target.replace(at, std::string_view(from).size(), to);
        target += row.bare_key ? "?KEY" : "?hostname=a.b";
        std::string marks(row.marks);
        for (std::size_t at = 0; at < marks.size();) {
            const std::size_t end = std::min(marks.find(' ', at), marks.size());
            if (marks[at] != '!') target += "&" + marks.substr(at, end - at) + "=x.y";
            at = end + 1;
        }
        EXPECT_EQ(update_of_row(target, "Basic dTpw").dialect, row.dialect)
            << row.service << target;
    }
}

TEST(Dialects, PlaceholdersMatchOneSegment) {
    const auto path = path_segments("/update/a.b/k/1.2.3.4?x=y");
    const DialectRow* row = find_dialect(path, Parameters(), false);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->dialect, Dialect::duckdns);
    EXPECT_EQ(segment_for("{host}", *row, path), "a.b");
    EXPECT_EQ(segment_for("{key}", *row, path), "k");
    EXPECT_EQ(segment_for("{ip}", *row, path), "1.2.3.4");
    EXPECT_EQ(segment_for("{other}", *row, path), "");
    EXPECT_EQ(find_dialect(path_segments("/update/a/b/c/d"), Parameters(), false), nullptr);
}

TEST(Dialects, AnyPathNeedsAnAuthorizationField) {
    Parameters parameters;
    parameters.add("hostname=a.b");
    const auto path = path_segments("/some/path");
    EXPECT_EQ(find_dialect(path, parameters, false), nullptr);
    EXPECT_NE(find_dialect(path, parameters, true), nullptr);
    EXPECT_FALSE(is_path_of_dialect(path));
    EXPECT_TRUE(is_path_of_dialect(path_segments("/nic/update")));
}

}  // namespace
}  // namespace sftdyn::protocol
