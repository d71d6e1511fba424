// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/doctor/delegation.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sftdyn::commands {
namespace {

using Level = Finding::Level;
using dns::Name;
using dns::Type;

constexpr std::size_t most_servers_above = 3;  // most servers of the parent zone to ask
constexpr std::uint16_t dns_port = 53;
constexpr Type ds_type{43};  // RFC 4034 §5

/// How one server sees a zone.
enum class View {
    unknown,
    absent,      ///< there is no such zone
    referral,    ///< the server refers to the zone's servers (RFC 1034 §4.3.2)
    served,      ///< the server has the zone itself
    told_by_all  ///< a resolver has found the zone
};

struct Sight {
    View view = View::unknown;
    std::vector<Name> servers{};  ///< the zone's, as far as the answer has them
};

std::vector<Name> servers_in(const std::vector<dns::Record>& records, const Name& owner) {
    std::vector<Name> names;
    for (const auto& record : records) {
        if (record.type == Type::ns && record.owner == owner)
            names.push_back(
                Name::from_wire(reinterpret_cast<const std::uint8_t*>(record.rdata.data())));
    }
    std::sort(names.begin(), names.end());
    return names;
}

Sight sight_of(const std::optional<dns::Answer>& answer, const Name& zone) {
    if (!answer || answer->truncated) return {};
    const std::string rcode = dns::rcode_text(answer->rcode);
    if (rcode == "NXDOMAIN") return {View::absent};
    if (rcode != "NOERROR") return {};
    if (auto servers = servers_in(answer->answers, zone); !servers.empty())
        return {answer->authoritative ? View::served : View::told_by_all, std::move(servers)};
    if (auto servers = servers_in(answer->authority, zone); !servers.empty())
        return {View::referral, std::move(servers)};
    // A server without data of this zone may refer to the root's servers, or others above.
    const bool is_elsewhere =
        std::any_of(answer->authority.begin(), answer->authority.end(),
                    [](const auto& record) { return record.type == Type::ns; });
    return is_elsewhere ? Sight{} : Sight{View::absent};
}

std::string text_of(const std::vector<Name>& names) {
    std::vector<std::string> texts;
    for (const auto& name : names) texts.push_back(name.text());
    return fmt::format("{}", fmt::join(texts, ", "));
}

bool is_localhost(const Name& name) {
    const std::string text = name.text();
    return text == "localhost" || text.ends_with(".localhost");
}

class Delegation {
public:
    Delegation(const ZoneAtHome& home, const AskServer& ask) : home_(home), ask_(ask) {}

    Findings examine() {
        look_at_own_servers();
        const auto answer = ask_(std::nullopt, home_.zone, Type::ns);
        if (!answer || dns::rcode_text(answer->rcode) == "REFUSED") {
            add(Level::skipped, "no resolver could be asked how the world sees the zone", "");
            return std::move(findings_);
        }
        Sight sight = sight_of(answer, home_.zone);
        const bool is_found = sight.view == View::told_by_all && !home_.resolver_is_here;
        parent_ = home_.zone.parent();
        if (sight.view != View::absent && sight.view != View::referral) {
            const Sight above = look_from_above();
            sight = above.view == View::unknown && is_found ? sight : above;
        }
        judge(sight, *answer);
        if (sight.view == View::referral || sight.view == View::told_by_all) look_at_signatures();
        return std::move(findings_);
    }

private:
    void add(Level level, std::string what, std::string remedy) {
        findings_.push_back({level, "delegation", std::move(what), std::move(remedy)});
    }

    void look_at_own_servers() {
        for (const auto& server : home_.servers) {
            const std::string name = server.name.text(), zone = home_.zone.text();
            if (is_localhost(server.name)) {
                add(Level::warning,
                    fmt::format("{} names localhost as its name server: a resolver that has asked "
                                "once goes there from then on, and fails",
                                zone),
                    fmt::format("name this machine instead, with nsupdate: update add {0} 3600 NS "
                                "NAME, update delete {0} NS {1}.",
                                zone, name));
            } else if (server.name.is_within(home_.zone) ? !server.has_address
                                                         : has_no_address(server.name)) {
                add(Level::warning,
                    fmt::format("{} names {} as its name server, which has no address", zone, name),
                    fmt::format("give it one, with nsupdate: update add {} 3600 A ADDRESS; or name "
                                "another server",
                                name));
            }
        }
    }

    /// Whether the resolver says that the server has no address; false when it can't tell.
    [[nodiscard]] bool has_no_address(const Name& server) const {
        const auto is_absent = [&](Type type) {
            const auto answer = ask_(std::nullopt, server, type);
            if (!answer) return false;
            const std::string rcode = dns::rcode_text(answer->rcode);
            return rcode == "NXDOMAIN" || (rcode == "NOERROR" && answer->answers.empty() &&
                                           sight_of(answer, server).view == View::absent);
        };
        return is_absent(Type::a) && is_absent(Type::aaaa);
    }

    [[nodiscard]] std::optional<dns::ServerAddress> address_of(const Name& server) const {
        for (const Type type : {Type::a, Type::aaaa}) {
            const auto answer = ask_(std::nullopt, server, type);
            if (!answer) continue;
            for (const auto& record : answer->answers) {
                const auto address = dns::address_of(type, record.rdata);
                if (record.type == type && address.has_value())
                    return dns::ServerAddress{*address, dns_port};
            }
        }
        return std::nullopt;
    }

    /// Asks the servers of the parent zone, which alone know the delegation.
    [[nodiscard]] Sight look_from_above() {
        for (Name name = home_.zone.parent(); !name.is_root(); name = name.parent()) {
            const auto answer = ask_(std::nullopt, name, Type::ns);
            if (!answer) return {};
            const auto servers = servers_in(answer->answers, name);
            if (servers.empty()) continue;
            parent_ = name;
            return look_at(servers);
        }
        return {};
    }

    [[nodiscard]] Sight look_at(const std::vector<Name>& servers_above) const {
        Sight found;
        for (std::size_t i = 0; i < std::min(servers_above.size(), most_servers_above); ++i) {
            const auto address = address_of(servers_above[i]);
            if (!address) continue;
            Sight sight = sight_of(ask_(address, home_.zone, Type::ns), home_.zone);
            if (sight.view == View::referral || sight.view == View::absent) return sight;
            if (sight.view == View::served) found = std::move(sight);
        }
        return found;
    }

    /// Whether the parent zone's DS records match the zone: a signed zone has some, an unsigned one
    /// has none (RFC 4035 §5.2).
    void look_at_signatures() {
        if (!home_.is_signed) return;
        const auto answer = ask_(std::nullopt, home_.zone, ds_type);
        if (!answer || dns::rcode_text(answer->rcode) != "NOERROR") return;
        const bool has_ds = std::any_of(answer->answers.begin(), answer->answers.end(),
                                        [](const auto& record) { return record.type == ds_type; });
        const std::string zone = home_.zone.text(), parent = parent_.text();
        if (has_ds && !*home_.is_signed)
            add(Level::warning,
                fmt::format("{} has a DS record for {}, which is not signed: resolvers that "
                            "validate refuse it",
                            parent, zone),
                "sign the zone (BIND: dnssec-policy; Knot: dnssec-signing), or have the DS record "
                "removed");
        if (!has_ds && *home_.is_signed)
            findings_.push_back(
                {Level::note, "dnssec",
                 fmt::format("{} is signed, but {} has no DS record for it: nobody checks that",
                             zone, parent),
                 fmt::format("give the DS record to whoever serves {}", parent)});
    }

    void judge(const Sight& sight, const dns::Answer& by_resolver) {
        const std::string zone = home_.zone.text();
        switch (sight.view) {
            case View::absent:
                return add(Level::warning, fmt::format("the world does not find {}", zone),
                           fmt::format("the zone above must delegate it: {} NS "
                                       "name-of-this-server, at whoever serves {}",
                                       zone, parent_.text()));
            case View::referral:
                return compare(sight.servers);
            case View::served:
                return add(Level::good,
                           fmt::format("the servers of {} have {} too", parent_.text(), zone), "");
            case View::told_by_all:
                return add(Level::good, fmt::format("the world finds {}", zone), "");
            case View::unknown:
                break;
        }
        if (dns::rcode_text(by_resolver.rcode) == "SERVFAIL")
            return add(Level::warning,
                       fmt::format("the resolver {} gets no answer for {}", home_.resolver, zone),
                       "is this server's port 53 open to the world, UDP and TCP, and does the zone "
                       "above delegate it to this server?");
        add(Level::skipped,
            fmt::format("whether the world finds {} can't be seen from here: {} may have the zone "
                        "itself, and the servers above could not be asked",
                        zone, home_.resolver),
            "ask a resolver elsewhere: sftdyn doctor --resolver 9.9.9.9");
    }

    /// The parent zone and the zone itself should name the same servers (RFC 1034 §4.2.2).
    void compare(const std::vector<Name>& above) {
        const std::string zone = home_.zone.text(), parent = parent_.text();
        std::vector<Name> own;
        for (const auto& server : home_.servers) own.push_back(server.name);
        std::sort(own.begin(), own.end());
        if (own.empty() || own == above)
            return add(Level::good,
                       fmt::format("the world finds {}: {} delegates it to {}", zone, parent,
                                   text_of(above)),
                       "");
        add(Level::warning,
            fmt::format("{} delegates {} to {}, but the zone itself names {}, whom resolvers ask "
                        "from then on",
                        parent, zone, text_of(above), text_of(own)),
            fmt::format("name the same servers in both; the zone's are changed with nsupdate: "
                        "update add {0} 3600 NS NAME, update delete {0} NS NAME",
                        zone));
    }

    const ZoneAtHome& home_;
    const AskServer& ask_;
    Name parent_{};
    Findings findings_{};
};

}  // namespace

Findings findings_of_delegation(const ZoneAtHome& home, const AskServer& ask) {
    return Delegation(home, ask).examine();
}

}  // namespace sftdyn::commands
