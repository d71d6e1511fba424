// Octets of a connection → requests → keys → the directory.
#include "api/parameters.hpp"
#include "api/secret_url.hpp"
#include "fuzz.hpp"
#include "hosts/directory.hpp"
#include "http/request_parser.hpp"
#include "http/response_writer.hpp"

using namespace sftdyn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const hosts::Directory directory = [] {
        hosts::Directory made;
        HOLDS(made.add("example", {1, 30, false}));
        HOLDS(made.add("host=a,key=b c", {2, 30, false}));
        return made;
    }();
    const http::Limits limits;
    for (std::size_t begin = 0; begin < size;) {
        http::RequestParser parser(limits, "x-forwarded-for");
        boost::system::error_code error;
        const std::size_t used = parser.feed(text_of(data + begin, size - begin), error);
        HOLDS(used <= size - begin);
        begin += used;
        if (error || !parser.is_done()) break;
        const api::Request request{parser.method(), parser.target(), boost::asio::ip::address_v4::loopback()};
        HOLDS(request.target.starts_with('/'));
        HOLDS(request.target.find_first_of(std::string_view("\r\n\0 ", 4)) == std::string_view::npos);
        const auto intent = api::secret_url::read(request);
        if (const auto* update = std::get_if<api::secret_url::Update>(&intent)) {
            HOLDS(!update->key.empty() && update->key[0] != '/');
            const auto* entry = directory.find(update->key);
            const std::string decoded = api::percent_decoded(update->key);
            HOLDS(decoded.size() <= update->key.size());
            if (entry == nullptr) entry = directory.find(decoded);
            HOLDS((entry != nullptr) == (decoded == "example" || decoded == "host=a,key=b c" || update->key == "example"));
        }
        std::string out;
        http::write_response(out, api::secret_url::who_am_i(request), {parser.version(), parser.keep_alive(), request.method == "HEAD"});
        if (used == 0) break;
    }
    return 0;
}
