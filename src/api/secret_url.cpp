#include "api/secret_url.hpp"

namespace sftdyn::api::secret_url {
Intent read(const Request& request) {
    if (request.method != "GET") return MethodNotAllowed{};
    const std::size_t start = request.target.find_first_not_of('/');
    if (start == std::string_view::npos) return WhoAmI{};
    return Update{request.target.substr(start)};
}

Response who_am_i(const Request& request) { return {200, request.client.to_string()}; }
Response method_not_allowed() { return {405, "METHOD NOT ALLOWED", "GET"}; }
Response bad_key() { return {403, "BADKEY"}; }
Response answer(const update::Result& result, std::string_view uptodate) {
    switch (result.verdict) {
        case update::Verdict::committed:
            return {200, "OK"};
        case update::Verdict::unchanged:
            return {200, std::string(uptodate)};
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
