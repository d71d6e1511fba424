// SPDX-License-Identifier: GPL-3.0-or-later
#include "protocol/dyndns_request.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/network.hpp"
#include "protocol/body_parameters.hpp"
#include "protocol/form_parameters.hpp"
#include "protocol/parameter_names.hpp"

namespace sftdyn::protocol {
namespace {

namespace ip = boost::asio::ip;

bool is(std::string_view text, std::string_view other) { return base::ascii_iequals(text, other); }

bool is_yes(std::string_view value) {
    return is(value, "yes") || is(value, "true") || is(value, "on") || value == "1";
}

/// Whether a parameter's name is a usual one. Another may be part of a password whose `&` the
/// client has not encoded.
bool is_usual_name(std::string_view name) {
    constexpr std::size_t longest = 24;
    return !name.empty() && name.size() <= longest && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

/// Builds an update from parameters.
class ParameterReader {
public:
    ParameterReader(AddressUpdate& update, const ip::address& source)
        : update_(update), source_(source) {}

    void read(const Parameter& parameter) {
        // deSEC: "myipv4:host" applies only to that host.
        const std::size_t colon = parameter.name.find(':');
        const auto name = std::string_view(parameter.name).substr(0, colon);
        const auto meaning = meaning_of(name);
        if (!meaning) return unknown(parameter);
        if (colon == std::string::npos) return read(*meaning, parameter.value, update_);
        const auto host = std::string_view(parameter.name).substr(colon + 1);
        if (!is_address(*meaning) || host.size() > longest_host) return unknown(parameter);
        read(*meaning, parameter.value, of_host(host));
    }

    /// Reads a word after the `?` of a secret URL: a host or an address.
    void read_word(std::string_view word) {
        if (word.find('.') == std::string_view::npos && word.find(':') == std::string_view::npos)
            return set_fault("it has a word behind its key that is neither host nor address");
        if (base::parse_address(word)) return add_addresses(word, Family::any, update_);
        add_hosts(word);
    }

    void add_hosts(std::string_view text) {
        for (const auto host : split_list(text, most_hosts)) {
            if (update_.hostnames.size() > most_hosts) return;
            update_.hostnames.emplace_back(host);
        }
    }
    void add_addresses(std::string_view text, Family family, Addresses& into) {
        const auto parts = split_list(text, most_addresses);
        if (parts.empty()) {
            into.empty_v4 = into.empty_v4 || family == Family::v4;
            into.empty_v6 = into.empty_v6 || family == Family::v6;
        }
        for (const auto part : parts) {
            if (++listed_ > most_addresses)
                return set_fault("it names more addresses than are allowed");
            read_address(part, family, source_, into);
        }
    }
    void set_fault(std::string_view what) {
        if (update_.fault.empty()) update_.fault.what = what;
    }

    /// Completes the update after the last parameter.
    void finish() {
        join_label_and_domain();
        // deSEC, selfHOST: this value of hostname means that another parameter has the name.
        const auto says_nothing = [](const std::string& host) {
            return is(host, "yes") || host == "1";
        };
        std::erase_if(update_.hostnames, says_nothing);
        if (update_.hostnames.empty()) add_hosts(host_id_);
        bool several = update_.has_several;
        for (const auto& [host, addresses] : update_.of_hosts) {
            several = several || addresses.has_several;
            const bool is_named = std::ranges::any_of(
                update_.hostnames,
                [&](const std::string& other) { return is(without_final_dot(other), host); });
            if (!is_named) update_.hostnames.push_back(host);
        }
        if (several) set_fault("it names several addresses of one family for a host");
    }

private:
    static bool is_address(Meaning meaning) {
        return meaning == Meaning::address || meaning == Meaning::v4 || meaning == Meaning::v6 ||
               meaning == Meaning::prefix;
    }

    void read(Meaning meaning, std::string_view value, Addresses& into) {
        switch (meaning) {
            case Meaning::hosts:
                return add_hosts(value);
            case Meaning::label:
                return keep(label_, value);
            case Meaning::domain:
                return keep(domain_, value);
            case Meaning::host_id:
                return keep(host_id_, value);
            case Meaning::address:
                return add_addresses(value, Family::any, into);
            case Meaning::v4:
                return add_addresses(value, Family::v4, into);
            case Meaning::v6:
                return add_addresses(value, Family::v6, into);
            case Meaning::prefix:
                if (!split_list(value, 1).empty()) read_prefix(value, into);
                return;
            case Meaning::offline:
                update_.offline = update_.offline || is_yes(value);
                return;
            case Meaning::verbose:
                update_.verbose = update_.verbose || is_yes(value);
                return;
            case Meaning::user:
            case Meaning::password:
            case Meaning::key:
            case Meaning::ignored:
                return;
        }
    }

    /// Sets the first value of a kind, or appends a further one.
    static void keep(std::string& place, std::string_view value) {
        if (value.empty()) return;
        place += (place.empty() ? "" : ",") + std::string(value.substr(0, 8192));
    }

    /// Namecheap: `host` is the label before `domain`, and "@" means the domain itself. In other
    /// dialects each of them is a host.
    void join_label_and_domain() {
        const bool is_pair = !label_.empty() && !domain_.empty() &&
                             label_.find(',') == std::string::npos &&
                             domain_.find(',') == std::string::npos;
        if (!is_pair) {
            add_hosts(label_);
            return add_hosts(domain_);
        }
        const bool is_whole =
            is(label_, domain_) ||
            (label_.size() > domain_.size() &&
             is(std::string_view(label_).substr(label_.size() - domain_.size()), domain_));
        add_hosts(label_ == "@" ? domain_ : is_whole ? label_ : label_ + "." + domain_);
    }

    static std::string_view without_final_dot(std::string_view host) {
        return host.substr(0, host.size() - (host.ends_with('.') ? 1 : 0));
    }

    /// At most one host more than are allowed: then the request is refused.
    Addresses& of_host(std::string_view text) {
        const std::string host = base::ascii_lower(without_final_dot(text));
        for (auto& [other, addresses] : update_.of_hosts) {
            if (other == host) return addresses;
        }
        if (update_.of_hosts.size() > most_hosts) return update_.of_hosts.back().second;
        return update_.of_hosts.emplace_back(host, Addresses{}).second;
    }

    void unknown(const Parameter& parameter) {
        if (!update_.fault.empty()) return;
        if (is(parameter.name, "txt"))
            return set_fault("it sets a TXT record, which is not supported");
        set_fault("it has a parameter that is not understood");
        if (is_usual_name(parameter.name)) update_.fault.parameter = parameter.name;
    }

    static constexpr std::size_t longest_host = 254;  // of a name, with its final dot

    AddressUpdate& update_;
    const ip::address& source_;
    std::size_t listed_ = 0;
    std::string label_{}, domain_{}, host_id_{};
};

/// The credential: from the path, else from a usable Authorization field, else from parameters.
Credential find_credential(const http::Request& request, const Parameters& parameters,
                           std::string_view path_key) {
    if (!path_key.empty()) {
        Credential out;
        out.secret = base::Secret(percent_decoded(path_key));
        return out;
    }
    Credential header = credential_of(request.authorization);
    if (header.secret && !header.secret->empty()) return header;
    Credential sent = credential_of(parameters);
    return sent.secret ? std::move(sent) : std::move(header);
}

AddressUpdate read_update(const http::Request& request, const DialectRow& row,
                          const std::vector<std::string_view>& path, const Parameters& parameters) {
    AddressUpdate out;
    out.dialect = row.dialect;
    auto all = parameters.all();
    if (row.bare_key && !all.empty() && !all.front().has_value) {
        static_cast<Credential&>(out).secret = base::Secret(all.front().name);
        all = all.subspan(1);
    } else {
        static_cast<Credential&>(out) =
            find_credential(request, parameters, segment_for("{key}", row, path));
    }
    ParameterReader reader(out, request.client);
    reader.add_hosts(percent_decoded(segment_for("{host}", row, path)));
    reader.add_addresses(percent_decoded(segment_for("{ip}", row, path)), Family::any, out);
    for (const Parameter& parameter : all) reader.read(parameter);
    reader.finish();
    // In FreeDNS the key determines the hosts.
    out.all_hosts = out.dialect == Dialect::freedns && out.hostnames.empty();
    return out;
}

bool is_checkip(const std::vector<std::string_view>& path) {
    return (path.size() == 2 && path[0] == "nic" && path[1] == "checkip") ||
           (path.size() == 1 && (path[0] == "checkip" || path[0] == "checkip.html"));
}

}  // namespace

std::string text_of(const RequestFault& fault, const Credential& credential) {
    const std::string& name = fault.parameter;
    const auto secret = credential.secret ? credential.secret->reveal() : std::string_view();
    const bool is_secret = secret.find(name) != std::string_view::npos ||
                           (!secret.empty() && name.find(secret) != std::string::npos);
    if (name.empty() || is_secret) return std::string(fault.what);
    return fmt::format("it has a parameter \"{}\", which is not understood", name);
}

AddressIntent read_address_update(const http::Request& request) {
    const auto path = path_segments(request.target);
    const bool is_authorized = !request.authorization.empty();
    const std::string_view query = query_of(request.target);
    const bool is_get = request.method == "GET" || request.method == "HEAD";
    if (is_checkip(path)) {
        if (!is_get && request.method != "POST") return WrongMethod{};
        Parameters sent;
        sent.add(query);
        if (is_authorized || credential_of(sent).secret) return CheckIpWithCredential{};
        return CheckIp{};
    }
    if (!path.empty() && !is_authorized && !is_path_of_dialect(path)) return NotOurs{};

    Parameters parameters;
    parameters.add(query);
    const bool is_body_read = parameters.too_many() || is_get || add_body(request.body, parameters);
    const DialectRow* row = find_dialect(path, parameters, is_authorized);
    if (row == nullptr) return NotOurs{};
    if (request.method != "GET" && request.method != "POST" && request.method != "PUT")
        return WrongMethod{};
    if (parameters.too_many()) return TooManyParameters{};
    auto update = read_update(request, *row, path, parameters);
    if (!is_body_read) update.fault = {"its body is neither a form nor a JSON object"};
    return update;
}

AddressUpdate read_behind_key(std::string_view text, const ip::address& source) {
    AddressUpdate out;
    out.dialect = Dialect::secret_url;
    ParameterReader reader(out, source);
    const std::size_t mark = std::min(text.find('?'), text.size());
    if (const auto word = text.substr(0, mark); !word.empty())
        reader.read_word(percent_decoded(word));
    Parameters parameters;
    parameters.add(text.substr(std::min(mark + 1, text.size())));
    if (parameters.too_many()) reader.set_fault("too many parameters");
    for (const Parameter& parameter : parameters.all())
        parameter.has_value ? reader.read(parameter) : reader.read_word(parameter.name);
    reader.finish();
    return out;
}

}  // namespace sftdyn::protocol
