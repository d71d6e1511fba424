// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/nsupdate_script.hpp"
#include "base/ascii.hpp"
#include "base/number.hpp"
#include "dns/knot.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
extern "C" {
#include <libzscanner/scanner.h>
}

namespace sftdyn::dns {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::uint32_t largest_ttl = 0x7fffffff;  // RFC 2181 §8
constexpr std::uint16_t any_type = 255;
constexpr std::size_t longest_echo = 200;

bool is(std::string_view word, std::string_view other) { return base::ascii_iequals(word, other); }

/// Splits a line into words.
class Words {
public:
    explicit Words(std::string_view line) : rest_(line) {}

    /// Returns the next word; empty at the end.
    std::string_view next() {
        const std::size_t start = rest_.find_first_not_of(blanks);
        if (start == std::string_view::npos) return rest_ = {};
        const std::size_t end = std::min(rest_.find_first_of(blanks, start), rest_.size());
        const auto word = rest_.substr(start, end - start);
        rest_.remove_prefix(end);
        return word;
    }
    std::string_view rest() {
        const std::size_t start = rest_.find_first_not_of(blanks);
        return start == std::string_view::npos ? std::string_view() : rest_.substr(start);
    }

private:
    std::string_view rest_;
};

std::optional<std::uint32_t> number(std::string_view word) {
    return base::parse_number<std::uint32_t>(word);
}

std::optional<std::uint16_t> type_number(std::string_view word) {
    std::uint16_t type = 0;
    if (is(word, "ANY")) return any_type;
    if (knot_rrtype_from_string(std::string(word).c_str(), &type) != 0) return std::nullopt;
    return type;
}

std::optional<std::uint16_t> class_number(std::string_view word) {
    std::uint16_t rclass = 0;
    if (is(word, "HS") || is(word, "HESIOD")) return 4;
    if (is(word, "CHAOS")) return 3;
    if (is(word, "NONE")) return 254;
    if (is(word, "ANY")) return 255;
    if (knot_rrclass_from_string(std::string(word).c_str(), &rclass) != 0) return std::nullopt;
    return rclass;
}

bool is_host_label(const std::uint8_t* label) {
    const std::size_t size = label[0];
    for (std::size_t i = 1; i <= size; ++i) {
        const auto c = static_cast<unsigned char>(label[i]);
        const bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alphanumeric && (c != '-' || i == 1 || i == size)) return false;
    }
    return true;
}

/// Whether the name is a host name (RFC 1123 §2.1). `wildcard`: its first label may be `*`.
bool is_host(const std::uint8_t* name, bool wildcard) {
    if (wildcard && name[0] == 1 && name[1] == '*') name += 2;
    for (; *name != 0; name += 1 + *name) {
        if (!is_host_label(name)) return false;
    }
    return true;
}

/// The complaint of nsupdate's `check-names`, which is on by default, about a record; empty: none.
std::string name_complaint(const UpdateRecord& record) {
    const auto* data = reinterpret_cast<const std::uint8_t*>(record.rdata.data());
    const auto type = static_cast<std::uint16_t>(record.type);
    const bool owner_is_host =
        type == KNOT_RRTYPE_A || type == KNOT_RRTYPE_AAAA || type == KNOT_RRTYPE_MX;
    if (owner_is_host && !is_host(record.owner.wire(), true))
        return fmt::format("the owner {} is not a host name", record.owner.text());
    const std::uint8_t* target = nullptr;
    if (type == KNOT_RRTYPE_NS || type == KNOT_RRTYPE_SOA) target = data;
    if (type == KNOT_RRTYPE_MX) target = data + 2;
    if (type == KNOT_RRTYPE_SRV) target = data + 6;
    if (target != nullptr && !is_host(target, false))
        return fmt::format("{} is not a host name", Name::from_wire(target).text());
    return {};
}

/// Converts record data to the syntax of zone files. For nsupdate, `;` does not begin a comment,
/// and every octet stands for itself.
std::string zone_file_text(std::string_view text) {
    std::string out;
    bool quoted = false;
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool escapes = c == '\\' && i + 1 < text.size();
        if (escapes && !is_ascii(text[i + 1])) continue;
        if (c == '"') quoted = !quoted;
        if (c == ';' && !quoted) out += '\\';
        out += is_ascii(c)
                   ? std::string(1, c)
                   : fmt::format("\\{:03}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        if (escapes) out += text[++i];
    }
    return out;
}

class ScriptReader {
public:
    explicit ScriptReader(Unsent unsent) : unsent_(unsent), scanner_(new zs_scanner_t) {
        if (zs_init(scanner_.get(), ".", KNOT_CLASS_IN, 0) != 0) throw std::bad_alloc();
    }

    base::Result<Script> read(std::span<const std::string> lines) {
        for (const std::string& line : lines) {
            ++line_number_;
            if (auto result =
                    read_line(std::string_view(line).substr(0, line.find_first_of("\r\n")));
                result.has_error()) {
                const auto error = result.error();
                const bool has_secret = is(Words(line).next(), "key");
                return base::Error{fmt::format("{}: \"{}\"", error.what,
                                               has_secret ? "key …" : line.substr(0, longest_echo)),
                                   fmt::format("line {}", line_number_), error.remedy};
            }
            if (quit_) break;
        }
        if (unsent_ == Unsent::send) send();
        return std::move(script_);
    }

private:
    using Read = base::Result<void>;
    static base::Error bad(std::string what) { return {std::move(what), "", "see nsupdate(1)"}; }

    Read read_line(std::string_view line) {
        Words words(line);
        const std::string_view word = words.next();
        if (word.empty() || is(word, "send")) return send();
        if (word.starts_with(';')) return {};
        if (is(word, "prereq"))
            return prerequisite(words.next(), words,
                                "after prereq: expected nxdomain, yxdomain, nxrrset or yxrrset");
        if (is(word, "update")) return update(words.next(), words);
        if (is(word, "add") || is(word, "delete") || is(word, "del")) return update(word, words);
        if (is(word, "zone")) return zone(words.next());
        if (is(word, "ttl")) return ttl(words.next());
        if (is(word, "class")) return rclass(words.next());
        if (is(word, "check-names")) return check_names(words.next());
        if (is(word, "quit")) {
            quit_ = true;
            return {};
        }
        if (is(word, "server"))
            return bad("the server can't be set here: the configuration sets it");
        if (is(word, "key")) return key(words);
        for (const char* passed : {"local", "realm", "gsstsig", "oldgsstsig"}) {
            if (is(word, passed))
                return warn(fmt::format("{} has no meaning here and is ignored", passed));
        }
        for (const char* passed : {"show", "answer", "debug", "help", "version"}) {
            if (is(word, passed)) return {};
        }
        return prerequisite(word, words, "unknown command");
    }

    Read warn(std::string text) {
        script_.warnings.push_back(fmt::format("line {}: {}", line_number_, text));
        return {};
    }

    Read send() {
        if (!message_.empty()) {
            message_.zone = zone_;
            message_.key = key_;
            script_.messages.push_back(std::move(message_));
        }
        message_ = {};
        return {};
    }

    /// key [ALGORITHM:]NAME SECRET. Errors do not quote the line.
    Read key(Words& words) {
        constexpr const char* usual_algorithm = "hmac-sha256";
        std::string_view name = words.next(), algorithm = usual_algorithm;
        if (const auto colon = name.find(':'); colon != std::string_view::npos) {
            algorithm = name.substr(0, colon);
            name.remove_prefix(colon + 1);
        }
        auto made = TsigKey::make(name, algorithm, base::Secret(std::string(words.next())));
        if (made.has_error())
            return bad(
                "expected key [ALGORITHM:]NAME SECRET, with an algorithm that is known and "
                "a secret in Base64");
        key_ = std::make_shared<const TsigKey>(std::move(*made));
        return {};
    }

    Read zone(std::string_view word) {
        auto name = owner(word);
        if (name.has_error()) return name.error();
        zone_ = std::move(*name);
        return {};
    }

    Read ttl(std::string_view word) {
        if (is(word, "none")) {
            default_ttl_.reset();
            return {};
        }
        const auto value = number(word);
        if (!value || *value > largest_ttl)
            return bad("the TTL is not a number of seconds up to 2147483647");
        default_ttl_ = value;
        return {};
    }

    Read rclass(std::string_view word) {
        const auto value = class_number(word);
        if (!value) return bad("unknown class");
        return take_class(*value);
    }

    static Read take_class(std::uint16_t value) {
        if (value != KNOT_CLASS_IN) return bad("only class IN is served");
        return {};
    }

    Read check_names(std::string_view word) {
        const bool on = is(word, "yes") || is(word, "on");
        if (!on && !is(word, "no") && !is(word, "off")) return bad("expected yes or no");
        check_names_ = on;
        return {};
    }

    base::Result<Name> owner(std::string_view word) const {
        if (word.empty()) return bad("a name is missing");
        auto name = Name::parse(word);
        if (name.has_error()) return bad(name.error().what);
        return name;
    }

    Read prerequisite(std::string_view what, Words& words, const char* otherwise) {
        const bool positive = is(what, "yxdomain") || is(what, "yxrrset");
        const bool rrset = is(what, "nxrrset") || is(what, "yxrrset");
        if (!positive && !rrset && !is(what, "nxdomain")) return bad(otherwise);
        auto name = owner(words.next());
        if (name.has_error()) return name.error();
        UpdateRecord record{
            std::move(*name), static_cast<Type>(any_type), UpdateRecord::Class::any, 0, {}};
        if (!positive) record.rclass = UpdateRecord::Class::none;
        if (rrset) {
            auto type = class_and_type(words.next(), words);
            if (type.has_error()) return type.error();
            if (!*type) return bad("the type is missing");
            record.type = **type;
            if (positive && !words.rest().empty()) {
                if (auto data = rdata(record, words.rest()); data.has_error()) return data;
                record.rclass = UpdateRecord::Class::in;
            }
        }
        message_.prerequisites.push_back(std::move(record));
        return {};
    }

    /// Parses "[class] type", whose first word is `word`. Absent: there is no type.
    base::Result<std::optional<Type>> class_and_type(std::string_view word, Words& words) {
        if (const auto value = class_number(word); value && *value != KNOT_CLASS_ANY) {
            if (auto taken = take_class(*value); taken.has_error()) return taken.error();
            word = words.next();
        }
        if (word.empty()) return std::optional<Type>();
        const auto type = type_number(word);
        if (!type)
            return bad(fmt::format("\"{}\" is neither a known class nor a known type",
                                   word.substr(0, longest_echo)));
        return std::optional(static_cast<Type>(*type));
    }

    Read update(std::string_view what, Words& words) {
        const bool remove = is(what, "delete") || is(what, "del");
        if (!remove && !is(what, "add")) return bad("after update: expected add or delete");
        auto name = owner(words.next());
        if (name.has_error()) return name.error();
        UpdateRecord record{
            std::move(*name), static_cast<Type>(any_type), UpdateRecord::Class::any, 0, {}};
        std::string_view word = words.next();
        if (const auto value = number(word)) {
            if (!remove && *value > largest_ttl)
                return bad("the TTL is out of range (0 to 2147483647)");
            record.ttl = *value;
            word = words.next();
        } else if (!remove) {
            if (!default_ttl_) return bad("the TTL is missing, and no ttl line sets one");
            record.ttl = *default_ttl_;
        }
        if (remove) record.ttl = 0;
        auto type = class_and_type(word, words);
        if (type.has_error()) return type.error();
        if (*type) record.type = **type;
        if (!*type && !remove) return bad("the type is missing");
        if (*type && !words.rest().empty()) {
            if (auto data = rdata(record, words.rest()); data.has_error()) return data;
            record.rclass = remove ? UpdateRecord::Class::none : UpdateRecord::Class::in;
        } else if (!remove) {
            return bad("the record's data is missing");
        }
        if (const std::string diagnostic =
                remove || !check_names_ ? std::string() : name_complaint(record);
            !diagnostic.empty())
            return bad(diagnostic);
        message_.updates.push_back(std::move(record));
        return {};
    }

    Read rdata(UpdateRecord& record, std::string_view text) {
        const auto type = static_cast<std::uint16_t>(record.type);
        if (knot_rrtype_is_metatype(type) != 0) return bad("a record of this type has no data");
        if (text.find('\0') != std::string_view::npos) return bad("there is a NUL in it");
        char type_name[32];
        if (knot_rrtype_to_string(type, type_name, sizeof type_name) < 0)
            return bad("unknown type");
        const std::string line = fmt::format(". 0 IN {} {}\n", type_name, zone_file_text(text));
        zs_scanner_t& scanner = *scanner_;
        if (zs_set_input_string(&scanner, line.data(), line.size()) != 0) throw std::bad_alloc();
        const int parsed = zs_parse_record(&scanner);
        const bool good = parsed == 0 && scanner.state == ZS_STATE_DATA && scanner.r_type == type;
        if (good)
            record.rdata.assign(reinterpret_cast<const char*>(scanner.r_data),
                                scanner.r_data_length);
        // The text must be exactly one record: no second record, and no open parenthesis.
        const bool over = good && zs_parse_record(&scanner) == 0 && scanner.state == ZS_STATE_EOF;
        if (over) return {};
        const std::string why =
            good ? "it does not end with the line" : zs_strerror(scanner.error.code);
        // After an error, the scanner's state is undefined.
        zs_deinit(&scanner);
        if (zs_init(&scanner, ".", KNOT_CLASS_IN, 0) != 0) throw std::bad_alloc();
        return bad(fmt::format("the record's data is not valid: {}", why));
    }

    struct FreeScanner {
        void operator()(zs_scanner_t* scanner) const {
            zs_deinit(scanner);
            delete scanner;
        }
    };

    Unsent unsent_;
    std::unique_ptr<zs_scanner_t, FreeScanner> scanner_;
    Script script_;
    UpdateMessage message_;
    TsigKeyPtr key_{};
    std::optional<Name> zone_;
    std::optional<std::uint32_t> default_ttl_;
    bool check_names_ = true;
    bool quit_ = false;
    std::size_t line_number_ = 0;
};

}  // namespace

base::Result<Script> parse_script(std::span<const std::string> lines, Unsent unsent) {
    return ScriptReader(unsent).read(lines);
}

}  // namespace sftdyn::dns
