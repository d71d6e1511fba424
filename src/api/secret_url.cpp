#include "api/secret_url.hpp"

#include "api/parameters.hpp"
#include "base/secret.hpp"

namespace sftdyn::api::secret_url {

Intent read(const Request& request) {
    if (request.method != "GET") return MethodNotAllowed{};
    const std::size_t start = request.target.find_first_not_of('/');
    if (start == std::string_view::npos) return WhoAmI{};
    return Update{request.target.substr(start)};
}

const hosts::Entry* find(const hosts::Directory& directory, std::string_view key) {
    const hosts::Entry* entry = directory.find(key);
    if (entry != nullptr || key.find('%') == std::string_view::npos) return entry;
    std::string decoded = percent_decoded(key);
    entry = directory.find(decoded);
    base::wipe(decoded);
    return entry;
}

Response who_am_i(const Request& request) { return {200, request.client.to_string()}; }
Response method_not_allowed() { return {405, "METHOD NOT ALLOWED", "GET"}; }
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

const char* log_word(update::Verdict verdict) {
    switch (verdict) {
        case update::Verdict::committed:
            return "OK";
        case update::Verdict::unchanged:
            return "UPTODATE";
        case update::Verdict::failed:
            return "FAIL";
        case update::Verdict::over_budget:
            return "ABUSE (its budget of changes is spent)";
        case update::Verdict::overloaded:
            return "FAIL (too many wait already)";
    }
    return "?";
}

}  // namespace sftdyn::api::secret_url
