// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_decider.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/address_rules.hpp"
#include "base/log.hpp"
#include "base/network.hpp"
#include "dns/nsupdate_script.hpp"
#include "protocol/form_parameters.hpp"
#include "protocol/secret_url.hpp"

namespace sftdyn::server {
namespace {

namespace secret_url = protocol::secret_url;
namespace log = base::log;

/// Whether the text has only characters of host names and wildcards, and at least two labels. A
/// single label is more likely a key in the wrong place.
bool looks_like_a_host(std::string_view text) {
    constexpr std::string_view good =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*";
    return text.find_first_not_of(good) == std::string_view::npos &&
           text.substr(0, text.size() - 1).find('.') != std::string_view::npos;
}

/// The journal fields, without using the request's context, which belongs to the thread that claims
/// the request.
log::Fields log_fields(const HookTask& task) {
    return {{"SFTDYN_CLIENT", task.client().to_string()},
            {"SFTDYN_DIALECT", text_of(telemetry::DialectLabel::secret_url)}};
}

}  // namespace

HookDecider::HookDecider(UpdateService& updates, update::HostTable& hosts)
    : updates_(updates),
      hosts_(hosts),
      failures_([](const std::string& text) { log::error("{}", text); }) {}

bool HookDecider::is_so(const AnswerSettings& settings, base::TimePoint began,
                        const update::RrsetKey& target, std::string_view rdata) const {
    return updates_.is_served_or_scripted(target, rdata, began - settings.freshness);
}

/// Runs on a hook thread.
HookDecision HookDecider::decide(HookTask& task, const python::Conf& conf) {
    const log::FieldScope of_peer(log_fields(task));
    const auto call = conf.call(task.peer.to_string(), task.fields, task.key);
    HookDecision decision;
    auto address = ask_get_ip(task, *call);
    if (!address) {
        // The hook got the key, so its failure counts as a guess.
        if (!task.key.empty() && task.conf().get_ip_reads_key())
            decision.action = HookDecision::Action::key_failed;
        return decision;
    }
    const log::FieldScope of_client(log_fields(task));
    if (!task.key.empty()) return decide_host(task, *call, *address);
    if (!address->is_address) {
        log_failure("get_ip/address", address->fault);
        return decision;
    }
    decision.action = HookDecision::Action::address;
    decision.address_text = std::move(address->text);
    return decision;
}

/// Calls get_ip. If the result is an address, it becomes the task's client address. Absent: get_ip
/// has failed.
std::optional<HookDecider::Address> HookDecider::ask_get_ip(HookTask& task, python::Call& call) {
    static constexpr const char* expected = "expected an IPv4 or IPv6 address";
    task.hook = "get_ip";
    auto said = call.get_ip();
    if (said.has_error()) {
        log_failure(said.error());
        return std::nullopt;
    }
    if (!said->text)
        return Address{.fault = [type = said->type] {
            return fmt::format("get_ip returned {}: {}", type, expected);
        }};
    const auto parsed = base::parse_address(*said->text);
    if (!parsed)
        return Address{.fault = [text = *said->text, &task, &call] {
            return fmt::format("get_ip returned \"{}\": {}", task.shown(text, call), expected);
        }};
    task.set_client(base::plain_address(*parsed));
    return Address{.text = std::move(*said->text), .is_address = true};
}

HookDecision HookDecider::decide_host(HookTask& task, python::Call& call, const Address& address) {
    HookDecision decision;
    const auto client = task.client();
    if (!find_host(task, call, decision)) return decision;
    auto fields = log_fields(task);
    if (decision.has_name) fields.emplace_back("SFTDYN_HOST", decision.host.text());
    const log::FieldScope of_host(std::move(fields));
    if (!address.is_address && !task.conf().has_nsupdate_commands()) {
        log_failure("get_ip/address", address.fault);
        return decision;
    }
    // A conf with nsupdatecommands is checked by its script. The refusal is answered only after the
    // key was found valid; otherwise a refused address would allow uncounted guesses.
    if (!task.conf().has_nsupdate_commands() && !may_publish(task, "a host", client)) {
        decision.action = HookDecision::Action::refused;
        return decision;
    }
    update::DesiredRecord& desired = decision.update.desired;
    desired.rrset.type = dns::type_of(client);
    decision.published = client;
    if (!address.is_address || !decision.has_name) {
        decide_pair(task, call, decision);
        return decision;
    }
    desired.rdata = decision.update.address = dns::rdata_of(client);
    if (is_so(*task.settings, task.began, desired.rrset, desired.rdata)) {
        decision.action = HookDecision::Action::unchanged;
        return decision;
    }
    if (!task.conf().has_nsupdate_commands()) {
        decision.action = HookDecision::Action::update;
        return decision;
    }
    call.forget_pair();
    ask_commands(task, call, decision);
    return decision;
}

/// Host and value are objects that only the conf interprets. Its script is carried out once for
/// each pair of them, and again after something else has touched the names of that script.
void HookDecider::decide_pair(HookTask& task, python::Call& call, HookDecision& decision) {
    const auto pair = call.pair_number();
    if (pair.has_error()) {
        log_failure(pair.error());
        return;
    }
    if (*pair == 0 || updates_.is_scripted(*pair)) {
        decision.action = HookDecision::Action::unchanged;
        return;
    }
    decision.update.pair = *pair;
    ask_commands(task, call, decision);
}

void HookDecider::ask_commands(HookTask& task, python::Call& call, HookDecision& decision) {
    task.hook = "nsupdatecommands";
    const auto lines = call.nsupdate_commands(decision.host_text);
    if (lines.has_error()) {
        log_failure(lines.error());
        return;
    }
    read_script(task, call, *lines, decision);
}

/// False: `decision` is final.
bool HookDecider::find_host(HookTask& task, python::Call& call, HookDecision& decision) {
    if (task.conf().has_get_host()) return ask_get_host(task, call, decision);
    const auto* entry = secret_url::find(*task.settings->directory, task.key);
    if (entry == nullptr) {
        decision.action = HookDecision::Action::bad_key;
        return false;
    }
    decision.host = hosts_.name(entry->host);
    decision.host_text = decision.host.text();
    decision.update.desired.rrset.host = entry->host;
    decision.update.desired.ttl = entry->ttl;
    return true;
}

bool HookDecider::ask_get_host(HookTask& task, python::Call& call, HookDecision& decision) {
    task.hook = "get_host";
    auto said = call.get_host(task.key);
    if (said.has_value() && !said->is_true && task.key.find('%') != std::string::npos) {
        std::string decoded = protocol::percent_decoded(task.key);
        said = call.get_host(decoded);
        base::zeroize(decoded);
    }
    // The hook got the key, so its failure counts as a guess.
    if (said.has_error()) {
        log_failure(said.error());
        decision.action = HookDecision::Action::key_failed;
        return false;
    }
    if (!said->is_true) {
        decision.action = HookDecision::Action::bad_key;
        return false;
    }
    decision.update.desired.ttl = task.settings->hook_ttl;
    if (said->text) {
        auto name = dns::Name::parse(*said->text);
        // Other texts may parse as names with escapes, but must not be reported as host names.
        if (name.has_value() && !name->is_root() && looks_like_a_host(*said->text)) {
            decision.host_text = std::move(*said->text);
            decision.host = std::move(*name);
            decision.update.desired.rrset.host = hosts_.number(decision.host);
            return true;
        }
    }
    // The conf's nsupdatecommands may still accept it.
    decision.has_name = false;
    if (task.conf().has_nsupdate_commands()) return true;
    log_failure("get_host/name", [&] {
        return said->text
                   ? fmt::format("get_host returned \"{}\": expected a host name",
                                 task.shown(*said->text, call))
                   : fmt::format("get_host returned {}: expected a host name, or None", said->type);
    });
    decision.action = HookDecision::Action::key_failed;
    return false;
}

/// Parses the script, and decides whether it is equivalent to a desired record, which can be
/// batched, or consists of separate messages.
void HookDecider::read_script(const HookTask& task, python::Call& call,
                              const std::vector<std::string>& lines, HookDecision& decision) {
    const std::string host = decision.has_name ? decision.host.text() : "what get_host returned";
    auto script = dns::parse_script(lines, dns::Unsent::send);
    if (script.has_error()) {
        const base::Error& error = script.error();
        log_failure("nsupdatecommands/" + error.where, [&] {
            return fmt::format("nsupdatecommands for {}, {}: {}; {}", host, error.where,
                               task.shown_quote(error.what, call), error.remedy);
        });
        return;
    }
    for (const auto& warning : script->warnings)
        log_failure("nsupdatecommands/" + warning, [&] {
            return fmt::format("nsupdatecommands for {}, {}", host,
                               task.shown_quote(warning, call));
        });
    decision.action = HookDecision::Action::update;
    HookUpdate& update = decision.update;
    update.is_desired_record = false;
    update.messages = std::move(script->messages);
    if (!may_publish(task, decision)) {
        decision.action = HookDecision::Action::refused;
        return;
    }
    if (!decision.has_name) name_by_script(decision);
    // A message with its own TSIG key can't be batched.
    if (update.messages.size() != 1 || update.pair != 0 || update.messages.front().key) return;
    auto change = dns::replacement_of(update.messages.front());
    if (!change || change->owner != decision.host || change->type != update.desired.rrset.type)
        return;
    update.is_desired_record = true;
    update.desired.ttl = change->ttl;
    update.desired.rdata = std::move(change->rdata);
    update.zone = update.messages.front().zone;
}

/// Names the script by the owner of its first update, which the engine uses as its host.
void HookDecider::name_by_script(HookDecision& decision) {
    for (const auto& message : decision.update.messages) {
        if (message.updates.empty()) continue;
        decision.host = message.updates.front().owner;
        decision.update.desired.rrset.host = hosts_.number(decision.host);
        decision.has_name = true;
        return;
    }
}

bool HookDecider::may_publish(const HookTask& task, const std::string& what,
                              const boost::asio::ip::address& address) {
    const auto ruling = task.settings->directory->rules().rule(address, address != task.peer);
    if (ruling == base::AddressRules::Ruling::may_be) return true;
    log_failure("address/" + what, [&] {
        return fmt::format("{} is not updated: {} {}", what, address.to_string(),
                           base::text_of(ruling));
    });
    return false;
}

/// Whether the script's addresses may be published. Checks all addresses of the host, and the
/// client's address at any name. Other records, and other addresses of other names, are left to the
/// conf.
bool HookDecider::may_publish(const HookTask& task, HookDecision& decision) {
    const auto client = task.client();
    decision.published = boost::asio::ip::address();
    for (const auto& message : decision.update.messages) {
        for (const auto& record : message.updates) {
            if (record.rclass != dns::UpdateRecord::Class::in) continue;
            if (record.type != dns::Type::a && record.type != dns::Type::aaaa) continue;
            const auto address = dns::address_of(record.type, record.rdata);
            if (address.has_error()) continue;
            // Without a host name, all addresses count as the host's.
            const bool is_hosts = !decision.has_name || record.owner == decision.host;
            if (!is_hosts && base::plain_address(*address) != client) continue;
            if (!may_publish(task, record.owner.text(), base::plain_address(*address)))
                return false;
            if (is_hosts) decision.published = *address;
        }
    }
    return true;
}

void HookDecider::log_failure(const std::string& kind, const MakeText& text) {
    failures_.add_lazily(kind, text, base::Clock::now());
}

void HookDecider::log_failure(const python::HookError& error) {
    log_failure(error.kind, error.text);
}

}  // namespace sftdyn::server
