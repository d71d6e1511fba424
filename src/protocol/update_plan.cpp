// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/update_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/ascii.hpp"

namespace sftdyn::protocol {
namespace {

namespace ip = boost::asio::ip;

bool same_label(std::string_view a, std::string_view b) { return base::ascii_iequals(a, b); }

std::uint64_t upper_half(const ip::address_v6& address) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 8; ++i) out = out << 8 | address.to_bytes()[i];
    return out;
}
std::uint64_t lower_half(const ip::address_v6& address) {
    std::uint64_t out = 0;
    for (std::size_t i = 8; i < 16; ++i) out = out << 8 | address.to_bytes()[i];
    return out;
}

class Planner {
public:
    Planner(const AddressUpdate& update, const accounts::Client& client,
            const update::HostTable& names, const ip::address& source,
            const base::AddressRules& rules)
        : update_(update),
          client_(client),
          names_(names),
          source_(source),
          rules_(rules),
          v4_(update.v4),
          v6_(update.v6) {
        // Without a named address: the source of the request, for its family only.
        if (v4_ || v6_) return;
        from_source_ = true;
        (source.is_v4() ? v4_ : v6_) = AddressUpdate::Named{source, source.to_string()};
    }

    UpdatePlan make() {
        if (update_.all_hosts) {
            for (const auto& host : client_.hosts) answer_for(host, names_.name(host.host).text());
        } else {
            for (const auto& text : update_.hostnames) answer_for(text);
        }
        if (update_.prefix && !update_.offline) {
            for (const auto& host : client_.hosts) {
                if (host.place && !is_planned(host.host)) add_place(host, UpdatePlan::unanswered);
            }
        }
        if (update_.prefix || update_.dialect == Dialect::secret_url) join_all();
        return std::move(plan_);
    }

private:
    void answer_for(const std::string& text) {
        const auto* host = find(text);
        if (host != nullptr) return answer_for(*host, text);
        const auto name = dns::Name::parse_host(text);
        ReturnCode code = ReturnCode::nohost;
        if (name.has_error() || text.find('.') == std::string::npos) {
            code = ReturnCode::notfqdn;
        } else if (names_.find(*name)) {
            code = ReturnCode::not_yours;
        }
        plan_.answers.push_back({code, text, {}});
    }

    /// Finds a host of the client. DuckDNS clients may name hosts by their first label.
    const accounts::Host* find(const std::string& text) const {
        const auto name = dns::Name::parse_host(text);
        if (name.has_error()) return nullptr;
        for (const auto& host : client_.hosts) {
            const auto own = names_.name(host.host);
            if (own == *name) return &host;
            const std::string own_text = own.text();
            if (update_.dialect == Dialect::duckdns &&
                same_label(text, std::string_view(own_text).substr(0, own_text.find('.'))))
                return &host;
        }
        return nullptr;
    }

    void answer_for(const accounts::Host& host, const std::string& text) {
        const std::size_t number = plan_.answers.size();
        plan_.answers.push_back({ReturnCode::nochg, text, {}});
        if (const auto* before = planned(host.host)) {
            plan_.repeats.emplace_back(number, *before);
            return;
        }
        planned_.emplace_back(host.host, number);
        if (update_.offline) {
            for (const auto type : {dns::Type::a, dns::Type::aaaa}) {
                auto desired = record_for(host, type);
                desired.kind = dns::ChangeKind::remove;
                add({number, std::move(desired)});
            }
            return;
        }
        if (v4_) add_address(host, number, *v4_);
        if (host.place && update_.prefix) {
            add_place(host, number);
        } else if (v6_ && !(host.place && from_source_)) {
            add_address(host, number, *v6_);
        }
    }

    void add_address(const accounts::Host& host, std::size_t number,
                     const AddressUpdate::Named& named) {
        auto desired = record_for(host, dns::type_of(named.address));
        desired.rdata = dns::rdata_of(named.address);
        desired.at_source = named.address == source_;
        append(plan_.answers[number].addresses, named.text);
        add({number, std::move(desired)});
    }

    void add_place(const accounts::Host& host, std::size_t number) {
        const auto address = place_in(*update_.prefix, *host.place);
        if (!address) {
            plan_.warnings.push_back(
                fmt::format("{}: its ipv6_subnet and ipv6_suffix don't fit into the prefix {}/{}",
                            names_.name(host.host).text(), update_.prefix->network.to_string(),
                            update_.prefix->length));
            if (number != UpdatePlan::unanswered)
                plan_.answers[number].code = ReturnCode::server_error;
            return;
        }
        if (const auto ruling = rules_.rule(*address, *address != source_);
            ruling != base::AddressRules::Ruling::may_be) {
            plan_.warnings.push_back(fmt::format("{}: {} {}", names_.name(host.host).text(),
                                                 address->to_string(), base::text_of(ruling)));
            if (number != UpdatePlan::unanswered)
                plan_.answers[number].code = ReturnCode::server_error;
            return;
        }
        auto desired = record_for(host, dns::Type::aaaa);
        desired.rdata = dns::rdata_of(*address);
        desired.at_source = *address == source_;
        if (number != UpdatePlan::unanswered)
            append(plan_.answers[number].addresses, address->to_string());
        add({number, std::move(desired)});
    }

    static void append(std::string& list, const std::string& text) {
        list += (list.empty() ? "" : ",") + text;
    }

    static update::DesiredRecord record_for(const accounts::Host& host, dns::Type type) {
        update::DesiredRecord desired;
        desired.rrset = {host.host, type};
        desired.ttl = host.ttl;
        desired.reverse = host.reverse;
        return desired;
    }

    void add(UpdatePlan::Step step) {
        // The records of one host form an atomic group.
        if (plan_.groups.empty() ||
            plan_.groups.back().front().desired.rrset.host != step.desired.rrset.host)
            plan_.groups.emplace_back();
        plan_.groups.back().push_back(std::move(step));
    }

    void join_all() {
        UpdatePlan::Group all;
        for (auto& group : plan_.groups) {
            for (auto& step : group) all.push_back(std::move(step));
        }
        plan_.groups.clear();
        if (!all.empty()) plan_.groups.push_back(std::move(all));
    }

    const std::size_t* planned(update::HostId host) const {
        const auto found = std::find_if(planned_.begin(), planned_.end(),
                                        [&](const auto& one) { return one.first == host; });
        return found == planned_.end() ? nullptr : &found->second;
    }
    bool is_planned(update::HostId host) const { return planned(host) != nullptr; }

    const AddressUpdate& update_;
    const accounts::Client& client_;
    const update::HostTable& names_;
    const ip::address& source_;
    const base::AddressRules& rules_;
    std::optional<AddressUpdate::Named> v4_, v6_;
    bool from_source_ = false;
    std::vector<std::pair<update::HostId, std::size_t>> planned_;
    UpdatePlan plan_;
};

/// Whether the update names an address other than the source of the request.
bool names_another(const AddressUpdate& update, const ip::address& source) {
    const auto other = [&](const std::optional<AddressUpdate::Named>& named) {
        return named && named->address != source;
    };
    return other(update.v4) || other(update.v6) || update.prefix;
}

/// Why an address must not be published; empty when it may be.
std::string refusal(const ip::address& address, bool named, const base::AddressRules& rules) {
    const auto ruling = rules.rule(address, named);
    if (ruling == base::AddressRules::Ruling::may_be) return {};
    return fmt::format("{} {}", address.to_string(), base::text_of(ruling));
}

/// The same for the addresses of the request. Addresses made from a prefix are checked for each
/// host.
std::string refusal(const AddressUpdate& update, const ip::address& source,
                    const base::AddressRules& rules) {
    if (update.offline) return {};
    if (!update.v4 && !update.v6) return refusal(source, false, rules);
    for (const auto* named : {&update.v4, &update.v6}) {
        if (!*named) continue;
        if (auto why = refusal((*named)->address, (*named)->address != source, rules); !why.empty())
            return why;
    }
    return {};
}

}  // namespace

UpdatePlan make_plan(const AddressUpdate& update, const accounts::Client& client,
                     const update::HostTable& names, const ip::address& source,
                     const base::AddressRules& rules) {
    UpdatePlan plan;
    if (plan.refused = refusal(update, source, rules); !plan.refused.empty()) return plan;
    if (client.may_set_address || !names_another(update, source))
        return Planner(update, client, names, source, rules).make();
    plan.warnings.emplace_back(
        "it names another address than its own, which needs may_set_address = true");
    const std::size_t count = update.all_hosts ? client.hosts.size() : update.hostnames.size();
    for (std::size_t i = 0; i < count; ++i) {
        plan.answers.push_back(
            {ReturnCode::not_yours,
             update.all_hosts ? names.name(client.hosts[i].host).text() : update.hostnames[i],
             {}});
    }
    return plan;
}

std::optional<ip::address_v6> place_in(const AddressUpdate::Prefix& prefix,
                                       const accounts::Ipv6Place& place) {
    std::uint64_t upper = upper_half(prefix.network), lower = lower_half(place.suffix);
    if (prefix.length <= 64) {
        const std::uint64_t networks =
            prefix.length == 64
                ? 0
                : ~std::uint64_t(0) >> prefix.length;  // the bits that are left for subnets
        if ((place.subnet & ~networks) != 0) return std::nullopt;
        upper = (upper & ~networks) | place.subnet;
    } else {
        const std::uint64_t hosts = ~std::uint64_t(0) >> (prefix.length - 64);
        if (place.subnet != 0 || (lower & ~hosts) != 0) return std::nullopt;
        lower |= lower_half(prefix.network) & ~hosts;
    }
    ip::address_v6::bytes_type bytes;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<unsigned char>(upper >> (56 - 8 * i));
        bytes[8 + i] = static_cast<unsigned char>(lower >> (56 - 8 * i));
    }
    return ip::address_v6(bytes);
}

ReturnCode return_code_for(const std::vector<update::UpdateStatus>& statuses) {
    const auto any = [&](update::UpdateStatus status) {
        return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
    };
    if (any(update::UpdateStatus::failed)) return ReturnCode::dnserr;
    if (any(update::UpdateStatus::overloaded)) return ReturnCode::server_error;
    if (any(update::UpdateStatus::over_budget)) return ReturnCode::abuse;
    return any(update::UpdateStatus::committed) ? ReturnCode::good : ReturnCode::nochg;
}

}  // namespace sftdyn::protocol
