// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/update_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/log.hpp"
#include "protocol/prefix_place.hpp"

namespace sftdyn::protocol {
namespace {

namespace ip = boost::asio::ip;

bool same_label(std::string_view a, std::string_view b) { return base::ascii_iequals(a, b); }

/// Why an address must not be published; empty: it may be published.
std::string refusal(const ip::address& address, bool named, const base::AddressRules& rules) {
    const auto ruling = rules.rule(address, named);
    if (ruling == base::AddressRules::Ruling::may_be) return {};
    return fmt::format("{} {}", address.to_string(), base::text_of(ruling));
}

/// The addresses that one host is to get.
struct HostAddresses {
    std::optional<Addresses::Named> v4{}, v6{};
    std::optional<Addresses::Prefix> prefix{};
    bool is_from_source = false;  ///< the request named no address
    bool remove_v4 = false, remove_v6 = false;
    std::string refused{};                ///< why no address may be published
    std::vector<std::string> warnings{};  ///< about addresses that are left out
};

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
          common_(effective(update)) {}

    UpdatePlan make() {
        plan_.refused = refused();
        if (!plan_.refused.empty()) return std::move(plan_);
        if (is_common_used()) plan_.warnings = common_.warnings;
        plan_hosts();
        const bool has_host = !planned_.empty();
        if (common_.prefix && has_host && !update_.offline) plan_others_behind_prefix();
        if (!is_implied_ && !update_.offline) refuse_idle_hosts();
        if (update_.prefix || update_.has_one_answer()) join_all();
        if (update_.has_one_answer() && std::ranges::any_of(plan_.answers, is_refused))
            plan_.groups.clear();  // the answer will be a failure, so nothing is done
        return std::move(plan_);
    }

private:
    /// Why nothing of the update can be carried out; empty: it can.
    std::string refused() const {
        for (auto own = update_.of_hosts.begin(); own != update_.of_hosts.end(); ++own) {
            const auto* host = find(own->first);
            const bool is_repeated =
                host != nullptr &&
                std::any_of(std::next(own), update_.of_hosts.end(),
                            [&](const auto& other) { return find(other.first) == host; });
            if (is_repeated) return "it names several addresses of one family for a host";
        }
        return is_common_used() ? common_.refused : std::string();
    }

    /// Whether a host of the update has no addresses of its own.
    bool is_common_used() const {
        if (update_.all_hosts || update_.hostnames.empty()) return true;
        return std::ranges::any_of(update_.hostnames, [this](const std::string& text) {
            const auto* host = find(text);
            return host != nullptr ? addresses_of(*host) == nullptr : update_.of_hosts.empty();
        });
    }

    /// The addresses that the request names for this host alone; null: none.
    const Addresses* addresses_of(const accounts::Host& host) const {
        for (const auto& [name, addresses] : update_.of_hosts) {
            if (find(name) == &host) return &addresses;
        }
        return nullptr;
    }

    static bool is_refused(const HostAnswer& host) { return host.code != ReturnCode::nochg; }

    /// Without host names, the update is for the credential's hosts, or for the host that is the
    /// user name (deSEC).
    void plan_hosts() {
        if (!update_.all_hosts && !update_.hostnames.empty()) {
            for (const auto& text : update_.hostnames) answer_for(text);
            return;
        }
        const auto* by_user = update_.user ? find(*update_.user) : nullptr;
        if (by_user != nullptr && !update_.all_hosts)
            return answer_for(*by_user, names_.name(by_user->host).text());
        is_implied_ = client_.hosts.size() > 1;
        for (const auto& host : client_.hosts) answer_for(host, names_.name(host.host).text());
        const bool has_address = common_.v4 || common_.v6 || common_.prefix;
        if (is_implied_ && has_address && !update_.offline && plan_.groups.empty()) {
            for (std::size_t i = 0; i < plan_.answers.size(); ++i) set_placeless(i);
        }
    }

    /// The given address can't be this host's.
    void set_placeless(std::size_t number) {
        plan_.answers[number].code = ReturnCode::server_error;
        plan_.warnings.push_back(fmt::format(
            "{}: it has an ipv6_suffix, and the request has no prefix that it fits into",
            plan_.answers[number].host));
    }

    /// Of each family, the addresses for one host take precedence over those for all (deSEC).
    Addresses merged(Addresses own) const {
        if (!own.v4 && !own.empty_v4 && !own.keep_v4) {
            own.v4 = update_.v4;
            own.empty_v4 = update_.empty_v4;
            own.keep_v4 = update_.keep_v4;
        }
        if (!own.v6 && !own.prefix && !own.empty_v6 && !own.keep_v6) {
            own.v6 = update_.v6;
            own.prefix = update_.prefix;
            own.empty_v6 = update_.empty_v6;
            own.keep_v6 = update_.keep_v6;
        }
        if (own.unusable.empty()) own.unusable = update_.unusable;
        return own;
    }

    HostAddresses effective(const Addresses& sent) const {
        HostAddresses out{.v4 = sent.v4, .v6 = sent.v6, .prefix = sent.prefix};
        out.remove_v4 = client_.empty_removes && sent.empty_v4 && !sent.v4;
        out.remove_v6 = client_.empty_removes && sent.empty_v6 && !sent.v6 && !sent.prefix;
        if (update_.offline) return out;
        if (!sent.unusable.empty()) {
            auto why = fmt::format("it named \"{}\", which is not an address that a host can have",
                                   base::log::printable(sent.unusable));
            if (!sent.has_any()) {
                out.refused = std::move(why);
                return out;
            }
            out.warnings.push_back(why + ": that is left out");
        }
        if (!sent.has_any()) use_source(sent, out);
        apply_rules(out);
        return out;
    }

    /// Without a named address, uses the source of the request, for its family only, unless that is
    /// to be left unchanged.
    void use_source(const Addresses& sent, HostAddresses& out) const {
        const bool is_other_meant =
            source_.is_v4() ? sent.keep_v4 || out.remove_v4 : sent.keep_v6 || out.remove_v6;
        if (is_other_meant) return;
        out.is_from_source = true;
        (source_.is_v4() ? out.v4 : out.v6) = Addresses::Named{source_, source_.to_string()};
    }

    /// Removes refused addresses; the others are still published.
    void apply_rules(HostAddresses& out) const {
        for (auto* named : {&out.v4, &out.v6}) {
            if (!*named) continue;
            auto why = refusal((*named)->address, (*named)->address != source_, rules_);
            if (why.empty()) continue;
            out.refused = why;
            out.warnings.push_back(why + ": that is left out");
            named->reset();
        }
        if (out.v4 || out.v6 || out.prefix) out.refused.clear();
    }

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
        plan_.answers.push_back({code, text, {}, {}});
    }

    /// Finds a host by its name, or by its first label, as DuckDNS clients do.
    /// Null: the client has no such host, or several with this label.
    const accounts::Host* find(const std::string& text) const {
        const auto name = dns::Name::parse_host(text);
        if (name.has_error()) return nullptr;
        const accounts::Host* by_label = nullptr;
        bool is_ambiguous = false;
        for (const auto& host : client_.hosts) {
            const auto own = names_.name(host.host);
            if (own == *name) return &host;
            if (update_.dialect != Dialect::duckdns) continue;
            const std::string own_text = own.text();
            if (!same_label(text, std::string_view(own_text).substr(0, own_text.find('.'))))
                continue;
            is_ambiguous = by_label != nullptr;
            by_label = &host;
        }
        return is_ambiguous ? nullptr : by_label;
    }

    void answer_for(const accounts::Host& host, const std::string& text) {
        const std::size_t number = plan_.answers.size();
        plan_.answers.push_back({ReturnCode::nochg, text, {}, {}});
        if (const auto* before = planned(host.host)) {
            plan_.repeats.emplace_back(number, *before);
            return;
        }
        planned_.emplace_back(host.host, number);
        if (update_.offline) {
            add_removal(host, number, dns::Type::a);
            return add_removal(host, number, dns::Type::aaaa);
        }
        const Addresses* const of_host = addresses_of(host);
        if (of_host == nullptr) return plan_host(host, number, common_);
        const auto own = effective(merged(*of_host));
        plan_.warnings.insert(plan_.warnings.end(), own.warnings.begin(), own.warnings.end());
        if (of_host->prefix && !host.place)
            plan_.warnings.push_back(fmt::format(
                "{}: it has no ipv6_suffix, and the request names a prefix for it: that "
                "is left out",
                text));
        if (own.refused.empty()) return plan_host(host, number, own);
        plan_.warnings.push_back(own.refused);
        plan_.answers[number].code = ReturnCode::server_error;
    }

    /// A host for which the request names something, and nothing of that can be done, has failed.
    void refuse_idle_hosts() {
        for (const auto& [host, number] : planned_) {
            HostAnswer& answer = plan_.answers[number];
            if (has_step(number) || answer.code != ReturnCode::nochg) continue;
            const auto own = std::ranges::find_if(
                client_.hosts, [&, id = host](const auto& one) { return one.host == id; });
            const Addresses* const of_host = addresses_of(*own);
            const Addresses sent = of_host == nullptr ? Addresses(update_) : merged(*of_host);
            if (sent.has_any()) answer.code = ReturnCode::server_error;
        }
    }

    void plan_host(const accounts::Host& host, std::size_t number, const HostAddresses& given) {
        if (given.v4) add_address(host, number, *given.v4);
        if (given.remove_v4) add_removal(host, number, dns::Type::a);
        // The router's own address is not the address of a host in its network.
        const bool is_routers = host.place && (given.is_from_source || is_implied_);
        if (host.place && given.prefix) {
            add_place(host, number, *given.prefix);
        } else if (given.v6 && !is_routers) {
            add_address(host, number, *given.v6);
        } else if (given.remove_v6) {
            add_removal(host, number, dns::Type::aaaa);
        } else if (given.v6 && !given.v4 && !is_implied_) {
            set_placeless(number);
        }
    }

    bool has_step(std::size_t number) const {
        return std::ranges::any_of(plan_.groups, [&](const auto& group) {
            return std::ranges::any_of(group,
                                       [&](const auto& step) { return step.answer == number; });
        });
    }

    /// A prefix changes the addresses of all hosts in it. Their outcome is the answer of the hosts
    /// of the request that get no address.
    void plan_others_behind_prefix() {
        std::size_t number = UpdatePlan::unanswered;
        for (const auto& [host, answer] : planned_) {
            if (has_step(answer) || plan_.answers[answer].code != ReturnCode::nochg) continue;
            if (number == UpdatePlan::unanswered)
                number = answer;
            else
                plan_.repeats.emplace_back(answer, number);
        }
        const bool has_place = std::ranges::any_of(
            client_.hosts, [](const accounts::Host& host) { return host.place.has_value(); });
        if (!has_place) {
            plan_.warnings.emplace_back(
                "it names a prefix, but none of its hosts has an ipv6_suffix: that is left out");
            if (number != UpdatePlan::unanswered)
                plan_.answers[number].code = ReturnCode::server_error;
        }
        for (const auto& host : client_.hosts) {
            if (host.place && planned(host.host) == nullptr)
                add_place(host, UpdatePlan::unanswered, *common_.prefix, number);
        }
    }

    void add_address(const accounts::Host& host, std::size_t number,
                     const Addresses::Named& named) {
        auto desired = record_for(host, dns::type_of(named.address));
        desired.rdata = dns::rdata_of(named.address);
        desired.at_source = named.address == source_;
        append(plan_.answers[number].addresses, named.text);
        add({number, std::move(desired)});
    }

    void add_removal(const accounts::Host& host, std::size_t number, dns::Type type) {
        auto desired = record_for(host, type);
        desired.kind = dns::ChangeKind::remove;
        add({number, std::move(desired)});
    }

    /// `number` is the answer that shows the address. `speaker` is another answer that depends on
    /// the outcome.
    void add_place(const accounts::Host& host, std::size_t number, const Addresses::Prefix& prefix,
                   std::size_t speaker = UpdatePlan::unanswered) {
        const auto address = place_in(prefix, *host.place);
        const auto why =
            address ? refusal(*address, *address != source_, rules_)
                    : fmt::format("its ipv6_subnet and ipv6_suffix don't fit into the prefix {}/{}",
                                  prefix.network.to_string(), prefix.length);
        if (!why.empty()) {
            plan_.warnings.push_back(fmt::format("{}: {}", names_.name(host.host).text(), why));
            if (number != UpdatePlan::unanswered && !is_implied_)
                plan_.answers[number].code = ReturnCode::server_error;
            return;
        }
        auto desired = record_for(host, dns::Type::aaaa);
        desired.rdata = dns::rdata_of(*address);
        desired.at_source = *address == source_;
        if (number != UpdatePlan::unanswered)
            append(plan_.answers[number].addresses, address->to_string());
        add({number != UpdatePlan::unanswered ? number : speaker, std::move(desired)});
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

    const AddressUpdate& update_;
    const accounts::Client& client_;
    const update::HostTable& names_;
    const ip::address& source_;
    const base::AddressRules& rules_;
    HostAddresses common_;     ///< addresses of hosts without their own
    bool is_implied_ = false;  ///< the request did not name its hosts
    std::vector<std::pair<update::HostId, std::size_t>> planned_;
    UpdatePlan plan_;
};

/// Whether the update names an address other than the source of the request.
bool names_another(const AddressUpdate& update, const ip::address& source) {
    const auto other = [&](const Addresses& sent) {
        return (sent.v4 && sent.v4->address != source) || (sent.v6 && sent.v6->address != source) ||
               sent.prefix;
    };
    return other(update) ||
           std::ranges::any_of(update.of_hosts, [&](const auto& own) { return other(own.second); });
}

}  // namespace

UpdatePlan make_plan(const AddressUpdate& update, const accounts::Client& client,
                     const update::HostTable& names, const ip::address& source,
                     const base::AddressRules& rules) {
    UpdatePlan plan = Planner(update, client, names, source, rules).make();
    if (!plan.refused.empty() || client.may_set_address || !names_another(update, source))
        return plan;
    UpdatePlan refused;
    refused.warnings.emplace_back(
        "it names another address than its own, which needs may_set_address = true");
    for (const HostAnswer& answer : plan.answers)
        refused.answers.push_back({ReturnCode::not_yours, answer.host, {}, {}});
    return refused;
}

ReturnCode return_code_for(const std::vector<update::UpdateStatus>& statuses) {
    const auto any = [&](update::UpdateStatus status) {
        return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
    };
    if (any(update::UpdateStatus::failed)) return ReturnCode::dnserr;
    if (any(update::UpdateStatus::overloaded)) return ReturnCode::later;
    if (any(update::UpdateStatus::over_budget)) return ReturnCode::later;
    return any(update::UpdateStatus::committed) ? ReturnCode::good : ReturnCode::nochg;
}

}  // namespace sftdyn::protocol
