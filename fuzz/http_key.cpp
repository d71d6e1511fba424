// SPDX-License-Identifier: GPL-3.0-or-later
// Octets of a connection → requests → keys → the directory.
#include <algorithm>

#include "accounts/account_directory.hpp"
#include "feed.hpp"
#include "fuzz.hpp"
#include "http/request_parser.hpp"
#include "http/response_writer.hpp"
#include "protocol/form_parameters.hpp"
#include "protocol/secret_url.hpp"
#include "protocol/update_plan.hpp"

using namespace sftdyn;

namespace {

/// An answer that says success is that of a step, or nothing was named for its host.
void fuzz_success(const protocol::AddressUpdate& update, const protocol::UpdatePlan& plan) {
    if (update.offline || update.all_hosts || update.hostnames.empty()) return;
    for (std::size_t i = 0; i < plan.answers.size(); ++i) {
        if (plan.answers[i].code != protocol::ReturnCode::nochg) continue;
        bool has_step = false;
        for (const auto& group : plan.groups) {
            for (const auto& step : group) has_step = has_step || step.answer == i;
        }
        const bool is_repeated = std::ranges::any_of(
            plan.repeats, [&](const auto& repeat) { return repeat.first == i; });
        // With a refusal beside it, the one answer for all is a failure, and nothing is done.
        const bool is_dropped = plan.groups.empty() && update.has_one_answer();
        HOLDS(has_step || is_repeated || is_dropped || !update.of_hosts.empty() ||
              !update.has_any());
    }
}

/// The dialects that name hosts and addresses: whatever is named, only the client's own hosts are
/// planned for.
void fuzz_dialects(const http::Request& request) {
    static update::HostTable names;
    static const accounts::Client client = [] {
        const auto number = [](const char* text) { return names.number(*dns::Name::parse(text)); };
        (void)number("foreign.example.org");
        return accounts::Client{
            "c",
            {{number("a.example.org"), 30, false, std::nullopt},
             {number("b.example.org"), 30, true,
              accounts::Ipv6Place{boost::asio::ip::make_address_v6("::1:2"), 3}}},
            true};
    }();
    auto intent = protocol::read_address_update(request);
    const auto* update = std::get_if<protocol::AddressUpdate>(&intent);
    if (update == nullptr || update->hostnames.size() > protocol::most_hosts) return;
    for (const auto& named : {update->v4, update->v6})
        HOLDS(!named || (!named->address.is_unspecified() && !named->address.is_multicast()));
    const auto plan = protocol::make_plan(*update, client, names, request.client);
    HOLDS(!plan.refused.empty() || update->all_hosts || update->hostnames.empty() ||
          plan.answers.size() == update->hostnames.size());
    for (const auto& group : plan.groups) {
        HOLDS(!group.empty());
        for (const auto& step : group) {
            HOLDS(step.desired.rrset.host == client.hosts[0].host ||
                  step.desired.rrset.host == client.hosts[1].host);
            HOLDS(step.answer == protocol::UpdatePlan::unanswered ||
                  step.answer < plan.answers.size());
            HOLDS(step.desired.kind == dns::ChangeKind::remove ||
                  step.desired.rdata.size() ==
                      (step.desired.rrset.type == dns::Type::a ? 4U : 16U));
        }
    }
    if (update->fault.empty() && plan.refused.empty()) fuzz_success(*update, plan);
    const std::string fault = protocol::text_of(update->fault, *update);
    HOLDS(fault.size() < 100);
    (void)protocol::answer(*update, plan.answers, {.uptodate = "UPTODATE"});
}

/// What stands behind a header is a body's content: `request`, all of it, is understood as with
/// another body.
void fuzz_body(std::string_view request, const Understood& meant, const http::Limits& limits) {
    std::string other(request);
    const std::size_t header = other.find("\r\n\r\n", other.find_first_not_of("\r\n")) + 4;
    HOLDS(header - 4 != std::string::npos && other.size() - header == std::get<3>(meant).size());
    std::fill(other.begin() + static_cast<std::ptrdiff_t>(header), other.end(), '\n');
    http::RequestParser parser(limits, "x-forwarded-for");
    boost::system::error_code error;
    for (std::size_t begin = 0; begin < other.size() && !error && !parser.is_done();)
        begin += parser.feed(std::string_view(other).substr(begin), error);
    HOLDS(!error && parser.is_done());
    Understood expected = meant;
    std::get<3>(expected) = other.substr(header);
    HOLDS(understood(parser) == expected);
}

/// In pieces of any size it is what it is whole.
void fuzz_pieces(std::string_view octets, const std::vector<Understood>& whole,
                 const http::Limits& limits) {
    const auto seed = static_cast<std::uint32_t>(octets.size() * 2654435761U);
    for (const std::uint32_t pieces : {0U, 6U, seed | 64U})
        HOLDS(read_in_pieces(octets, limits, "x-forwarded-for", Pieces(pieces)) == whole);
    // With less room there are fewer, and none is another.
    http::Limits narrow = limits;
    narrow.header_octets = 256;
    narrow.body_octets = 16;
    const auto fewer = read_in_pieces(octets, narrow, "x-forwarded-for", Pieces(seed | 64U));
    HOLDS(fewer.size() <= whole.size() && std::equal(fewer.begin(), fewer.end(), whole.begin()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static update::HostTable hosts;
    static const accounts::AccountDirectory directory = [] {
        accounts::AccountDirectory made;
        const auto number = [](const char* text) { return hosts.number(*dns::Name::parse(text)); };
        HOLDS(made.add("example", {number("a.example.org"), 30, false}));
        HOLDS(made.add("host=a,key=b c", {number("b.example.org"), 30, false}));
        return made;
    }();
    const http::Limits limits = wide_limits();
    std::vector<Understood> whole;
    for (std::size_t begin = 0; begin < size;) {
        const std::size_t start = begin;
        http::RequestParser parser(limits, "x-forwarded-for");
        boost::system::error_code error;
        std::size_t used = 0;
        do {
            used = parser.feed(text_of(data + begin, size - begin), error);
            HOLDS(used <= size - begin);
            begin += used;
        } while (!error && !parser.is_done() && used > 0 && begin < size);
        if (error || !parser.is_done()) break;
        whole.push_back(understood(parser));
        HOLDS(parser.authorization().find_first_of(std::string_view("\r\n\0", 3)) ==
              std::string_view::npos);
        for (const auto& value : parser.proxy_values())
            HOLDS(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
        fuzz_body(text_of(data + start, begin - start), whole.back(), limits);
        const http::Request request{parser.method(), parser.target(),
                                    boost::asio::ip::address_v4::loopback()};
        HOLDS(request.target.starts_with('/'));
        (void)protocol::read_behind_key(request.target.substr(1), request.client);
        HOLDS(request.target.find_first_of(std::string_view("\r\n\0 ", 4)) ==
              std::string_view::npos);
        const auto longer =
            protocol::secret_url::find_longer(directory, hosts, request.target.substr(1));
        HOLDS(!longer || request.target.substr(1).starts_with(longer->key));
        const auto intent = protocol::secret_url::read(request);
        if (const auto* update = std::get_if<protocol::secret_url::PresentedKey>(&intent)) {
            HOLDS(!update->key.empty() && update->key[0] != '/');
            const auto* entry = directory.find(update->key);
            const std::string decoded = protocol::percent_decoded(update->key);
            HOLDS(decoded.size() <= update->key.size());
            if (entry == nullptr) entry = directory.find(decoded);
            HOLDS((entry != nullptr) == (decoded == "example" || decoded == "host=a,key=b c" ||
                                         update->key == "example"));
        }
        fuzz_dialects({parser.method(), parser.target(), boost::asio::ip::address_v4::loopback(),
                       parser.authorization(), parser.body()});
        std::string out;
        http::write_response(out, protocol::secret_url::who_am_i(request),
                             {parser.version(), parser.keep_alive(), request.method == "HEAD"});
    }
    fuzz_pieces(text_of(data, size), whole, limits);
    return 0;
}
