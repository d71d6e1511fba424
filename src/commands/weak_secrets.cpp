// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/weak_secrets.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <bitset>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/secret.hpp"
#include "base/system_user.hpp"
#include "dns/tsig_key_file.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char* new_key = "make a long random one: openssl rand -hex 16";

// --- files ---

/// Whether the file's group is its owner's alone, as where each user has a group of that name
/// (Debian's USERGROUPS).
bool is_own_group(const struct stat& status) {
    const auto owner = base::find_user(status.st_uid);
    return owner && owner->gid == status.st_gid;
}

std::string name_of_group(gid_t number) {
    const auto found = base::find_group(number);
    return found ? found->name : std::to_string(number);
}

/// Who but the owner may write to it; empty: nobody.
std::string who_may_write(const struct stat& status) {
    if ((status.st_mode & S_IWOTH) != 0) return "everybody on this machine";
    if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0 && !is_own_group(status))
        return "the group " + name_of_group(status.st_gid);
    return {};
}

class FileInspector {
public:
    explicit FileInspector(std::vector<Weakness>& found) : found_(found) {}

    /// `secret` is what is in the file, and `power` what whoever changes it can do.
    void inspect(const char* subject, const std::string& file, const char* secret,
                 const char* power) {
        struct stat status {};
        if (stat(file.c_str(), &status) != 0) return;  // that it is missing is said elsewhere
        if ((status.st_mode & S_IROTH) != 0) {
            // The service reads it as its group; a group like root's would shut it out.
            const std::string remedy = status.st_gid == 0
                                           ? fmt::format("chgrp sftdyn {0} && chmod 640 {0}", file)
                                           : fmt::format("chmod o= {}", file);
            add(subject, fmt::format("everybody on this machine may read {} in it", secret), file,
                remedy);
        }
        if (const std::string who = who_may_write(status); !who.empty())
            add(subject, fmt::format("{} may change it, and {}", who, power), file,
                fmt::format("chmod go-w {}", file));
        const std::string folder = fs::absolute(file).parent_path().string();
        struct stat above {};
        if (stat(folder.c_str(), &above) != 0 || (above.st_mode & S_ISVTX) != 0) return;
        if (const std::string who = who_may_write(above); !who.empty())
            add(subject,
                fmt::format("{} may write to its folder, put another in its place, and {}", who,
                            power),
                file, fmt::format("chmod go-w {}", folder));
    }

private:
    void add(const char* subject, std::string what, const std::string& file, std::string remedy) {
        found_.push_back({subject, {std::move(what), file, std::move(remedy)}});
    }

    std::vector<Weakness>& found_;
};

// --- keys ---

class KeyInspector {
public:
    explicit KeyInspector(const config::Loaded& loaded)
        : loaded_(loaded), settings_(loaded.settings) {}

    std::vector<Weakness> inspect() {
        for (std::size_t i = 0; i < settings_.clients.size(); ++i) {
            const auto client = settings_.clients[i];
            const auto line = settings_.clients.line(i);
            by_key("this client's key", client.key, line,
                   {dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data()))
                        .text()});
        }
        for (const auto& client : settings_.named_clients) {
            if (client.key) named_.emplace(client.key->reveal(), client.line);
        }
        for (const auto& client : settings_.named_clients) {
            std::vector<std::string> known{client.name};
            for (const auto& host : client.hosts) known.push_back(host.name.text());
            if (client.user) known.push_back(*client.user);
            if (client.key) by_key("this client's key", client.key->reveal(), client.line, known);
            if (!client.password.empty())
                guessable("this client's password", client.password.reveal(), client.line, known);
        }
        for (std::size_t i = 0; i < settings_.clients.size(); ++i)
            shadow(settings_.clients[i].key, settings_.clients.line(i));
        for (const auto& client : settings_.named_clients) {
            if (client.key) shadow(client.key->reveal(), client.line);
        }
        if (more_ != 0)
            found_.push_back({"clients",
                              {fmt::format("{} more keys or passwords like these", more_),
                               loaded_.conf, new_key}});
        return std::move(found_);
    }

private:
    void by_key(const char* what, std::string_view key, std::uint32_t line,
                const std::vector<std::string>& known) {
        if (key.starts_with("http://") || key.starts_with("https://"))
            return add(fmt::format("{} is a whole URL", what), line,
                       "write only what stands behind the server's name and the slash");
        guessable(what, key, line, known);
    }

    /// `known` is what everybody knows of the client.
    void guessable(const char* what, std::string_view secret, std::uint32_t line,
                   const std::vector<std::string>& known) {
        const std::string plain = base::ascii_lower(secret);
        const bool is_known = std::any_of(known.begin(), known.end(), [&](const std::string& text) {
            return base::ascii_iequals(text, plain);
        });
        if (is_known)
            return add(fmt::format("{} is a name that everybody knows", what), line, new_key);
        if (bits_of(secret) < enough_bits)
            add(fmt::format("{} is short or plain enough to be guessed", what), line, new_key);
    }

    /// A target that is no key is looked for again with its %XX undone (api/secret_url.hpp); what
    /// is a key is not.
    void shadow(std::string_view key, std::uint32_t line) {
        if (key.find('%') == std::string_view::npos) return;
        std::string decoded = protocol::percent_decoded(key);
        const auto other = decoded == key ? std::nullopt : line_of(decoded);
        base::zeroize(decoded);
        if (other)
            add(fmt::format("this client's key is the percent-encoded form of the one in line {}: "
                            "who sends that encoded reaches this host",
                            *other),
                line, "give one of them another key");
    }

    [[nodiscard]] std::optional<std::uint32_t> line_of(std::string_view key) const {
        if (const auto line = settings_.clients.line_of_key(key)) return line;
        const auto found = named_.find(key);
        return found == named_.end() ? std::nullopt : std::optional(found->second);
    }

    void add(std::string what, std::uint32_t line, std::string remedy) {
        if (found_.size() == most_told) {
            ++more_;
            return;
        }
        const std::string where = loaded_.python
                                      ? fmt::format("{}, entry {} of CLIENTS", loaded_.conf, line)
                                      : fmt::format("{}:{}", loaded_.conf, line);
        found_.push_back({"clients", {std::move(what), where, std::move(remedy)}});
    }

    const config::Loaded& loaded_;
    const config::Settings& settings_;
    std::map<std::string_view, std::uint32_t>
        named_{};  ///< the keys of [clients.NAME], and their lines
    std::vector<Weakness> found_{};
    std::size_t more_ = 0;
};

}  // namespace

double bits_of(std::string_view secret) {
    std::bitset<256> seen;
    std::size_t digits = 0;
    bool only_words = true;
    for (const char c : secret) {
        const auto octet = static_cast<unsigned char>(c);
        seen.set(octet);
        digits += std::isdigit(octet) != 0 ? 1U : 0U;
        only_words = only_words && (std::isalnum(octet) != 0 ||
                                    std::string_view("-_. ").find(c) != std::string_view::npos);
    }
    const auto size = static_cast<double>(secret.size());
    const double each = std::log2(std::max<double>(1, static_cast<double>(seen.count())));
    constexpr double each_of_a_word = 2;
    return size * (only_words && digits <= 2 ? std::min(each, each_of_a_word) : each);
}

std::vector<Weakness> weak_files(const config::Loaded& loaded) {
    std::vector<Weakness> found;
    FileInspector inspector(found);
    if (!loaded.conf.empty())
        inspector.inspect("conf", loaded.conf, "the keys", "with it where all hosts point");
    std::vector<std::string> seen;
    const auto once = [&](const char* subject, const std::string& file, const char* secret,
                          const char* power) {
        if (std::find(seen.begin(), seen.end(), file) != seen.end()) return;
        seen.push_back(file);
        inspector.inspect(subject, file, secret, power);
    };
    const auto key_of = [&](const config::ZoneSettings& zone) {
        for (const auto& file : config::key_files(zone))
            once("key", dns::key_file_path(file), "the TSIG key", "stop all updates");
    };
    key_of(loaded.settings.dns);
    for (const auto& zone : loaded.settings.zones) key_of(zone);
    for (const auto& files : config::certificates(loaded.settings))
        once("certificate", files.key, "the private key", "stop HTTPS");
    return found;
}

std::vector<Weakness> weak_keys(const config::Loaded& loaded) {
    return KeyInspector(loaded).inspect();
}

}  // namespace sftdyn::commands
