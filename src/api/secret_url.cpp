#include "api/secret_url.hpp"

namespace sftdyn::api::secret_url {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Intent read(const Request& request) {
    if (request.method != "GET") return MethodNotAllowed{};
    const std::size_t start = request.target.find_first_not_of('/');
    if (start == std::string_view::npos) return WhoAmI{};
    return Update{request.target.substr(start)};
}

std::string decoded(std::string_view key) {
    std::string out;
    out.reserve(key.size());
    for (std::size_t i = 0; i < key.size(); ++i) {
        const int high = key[i] == '%' && i + 2 < key.size() ? hex_value(key[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(key[i + 2]) : -1;
        if (low < 0) {
            out += key[i];
            continue;
        }
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

Response who_am_i(const Request& request) { return {200, request.client.to_string()}; }
Response method_not_allowed() { return {405, "METHOD NOT ALLOWED", "GET"}; }
Response bad_key() { return {403, "BADKEY"}; }
Response too_many_bad_keys(std::chrono::seconds retry_after) { return {429, "BADKEY", {}, retry_after}; }

Response answer(const update::Result& result) {
    switch (result.verdict) {
        case update::Verdict::committed:
            return {200, "OK"};
        case update::Verdict::unchanged:
            return {200, "UPTODATE"};
        case update::Verdict::failed:
            break;
        case update::Verdict::over_budget:
            return {429, "ABUSE", {}, result.retry_after};
        case update::Verdict::overloaded:
            return {503, "FAIL", {}, result.retry_after};
    }
    return {500, "FAIL"};
}

}  // namespace sftdyn::api::secret_url
