// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/weak_secrets.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <bitset>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/secret.hpp"
#include "base/system_user.hpp"
#include "commands/trusted_accounts.hpp"
#include "dns/tsig_key_file.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char* new_key = "make a long random one: openssl rand -hex 16";

// --- files ---

/// Who may write to a file or folder; empty: trusted accounts only.
std::string who_may_write(const struct stat& status, const TrustedAccounts& trusted) {
    if ((status.st_mode & S_IWOTH) != 0) return "everybody on this machine";
    if ((status.st_mode & S_IWGRP) != 0 && !trusted.is_group(status.st_gid))
        return text_of_group(status.st_gid);
    return {};
}

/// A file that must not be changed by others, and the secret in it.
struct SecretFile {
    const char* subject;  ///< of `Weakness`
    std::string path;
    const char* content;  ///< the secret, for messages; null: there is none
    const char* power;    ///< what somebody who changes it can do
};

/// The path, and the paths after each step of following its first symbolic link.
std::vector<fs::path> paths_to(fs::path path) {
    constexpr std::size_t most_links = 40;  // the kernel's limit
    std::vector<fs::path> all{path};
    for (bool followed = true; followed && all.size() <= most_links;) {
        followed = false;
        fs::path real = path.root_path();
        fs::path next;
        for (const fs::path& name : path.relative_path()) {
            if (followed) {
                next /= name;
            } else if (name == "..") {
                real = real.parent_path();
            } else if (!name.empty() && name != ".") {
                std::error_code error;  // an error means that this is not a link
                const fs::path target = fs::read_symlink(real / name, error);
                followed = !error;
                if (followed)
                    next = real / target;
                else
                    real /= name;
            }
        }
        path = followed ? next : real;
        if (path != all.back()) all.push_back(path);
    }
    return all;
}

class FileInspector {
public:
    FileInspector(const SecretFile& file, const TrustedAccounts& trusted,
                  const std::string& service_group, std::vector<Weakness>& found)
        : file_(file), trusted_(trusted), service_group_(service_group), found_(found) {}

    void inspect() {
        inspect_file();
        inspect_folders();
    }

    /// The folder of included files. Everybody may know their names, but not add one.
    void inspect_as_folder() {
        struct stat status {};
        if (stat(file_.path.c_str(), &status) == 0) look_at_writers(status);
        inspect_folders();
    }

    /// The file alone, and not the folders that it is in.
    void inspect_file() {
        struct stat status {};
        if (stat(file_.path.c_str(), &status) != 0) return;  // other checks report it
        if (file_.content != nullptr) look_at_readers(status);
        look_at_writers(status);
    }

private:
    void inspect_folders() {
        struct stat status {};
        if (stat(file_.path.c_str(), &status) != 0) return;
        // The path may contain symbolic links; the folder of each of them matters.
        for (const fs::path& path : paths_to(fs::absolute(file_.path).lexically_normal())) {
            if (look_at_folders(path)) return;
        }
    }

    void look_at_readers(const struct stat& status) {
        const std::string& path = file_.path;
        if ((status.st_mode & S_IROTH) != 0) {
            add(fmt::format("everybody on this machine may read {} in it", file_.content),
                remedy_of_open_file(status));
        } else if ((status.st_mode & (S_IRGRP | S_IWGRP)) == S_IRGRP &&
                   !trusted_.is_group(status.st_gid)) {
            add(fmt::format("{} may read {} in it", text_of_group(status.st_gid), file_.content),
                fmt::format("chgrp {} {}", service_group_, path));
        }
    }

    /// The remedy gives the file to the service's group, so that the service can still read it. A
    /// DNS server that reads it by its own group becomes the owner.
    [[nodiscard]] std::string remedy_of_open_file(const struct stat& status) const {
        const std::string& path = file_.path;
        const auto service = base::find_group(service_group_);
        if (service && status.st_gid == service->gid) return fmt::format("chmod o= {}", path);
        const auto group = base::find_group(status.st_gid);
        const bool is_dns_servers = status.st_gid != 0 && group &&
                                    trusted_.is_group(status.st_gid) &&
                                    base::find_user(group->name).has_value();
        return is_dns_servers
                   ? fmt::format("chown {}:{} {} && chmod 640 {}", group->name, service_group_,
                                 path, path)
                   : fmt::format("chgrp {} {} && chmod 640 {}", service_group_, path, path);
    }

    void look_at_writers(const struct stat& status) {
        if (!trusted_.is_user(status.st_uid))
            add(fmt::format("it belongs to {}, who may change it, and {}",
                            text_of_user(status.st_uid), file_.power),
                fmt::format("chown root {}", file_.path));
        if (const std::string who = who_may_write(status, trusted_); !who.empty())
            add(fmt::format("{} may change it, and {}", who, file_.power),
                fmt::format("chmod go-w {}", file_.path));
    }

    /// Checks the folders from that of `path` up to the root. True: a weakness was added.
    bool look_at_folders(const fs::path& path) {
        for (fs::path below = path; below.has_relative_path(); below = below.parent_path()) {
            if (look_at_folder(below.parent_path(), below, below == path)) return true;
        }
        return false;
    }

    /// `entry` is the part of the path in this folder.
    bool look_at_folder(const fs::path& folder, const fs::path& entry, bool is_its_own) {
        struct stat status {};
        if (stat(folder.c_str(), &status) != 0) return false;
        const std::string where =
            is_its_own ? std::string("its folder") : fmt::format("{}, above it", folder.string());
        const auto told = [&](const std::string& who, const char* may, std::string remedy) {
            add(fmt::format("{} {} {}, may put another in its place, and {}", who, may, where,
                            file_.power),
                std::move(remedy));
            return true;
        };
        if (!trusted_.is_user(status.st_uid))
            return told(text_of_user(status.st_uid), "owns",
                        fmt::format("chown root {}", folder.string()));
        const std::string who = who_may_write(status, trusted_);
        if (who.empty()) return false;
        if ((status.st_mode & S_ISVTX) == 0)
            return told(who, "may write to", fmt::format("chmod go-w {}", folder.string()));
        // In a sticky folder only the owner of an entry can replace it. The owners of files and
        // folders are checked elsewhere, so only a link is left.
        struct stat link {};
        if (lstat(entry.c_str(), &link) != 0 || !S_ISLNK(link.st_mode) ||
            trusted_.is_user(link.st_uid))
            return false;
        return told(text_of_user(link.st_uid), "owns the link in", "name the file that is meant");
    }

    void add(std::string what, std::string remedy) {
        found_.push_back({file_.subject, {std::move(what), file_.path, std::move(remedy)}});
    }

    const SecretFile& file_;
    const TrustedAccounts& trusted_;
    const std::string& service_group_;
    std::vector<Weakness>& found_;
};

/// The folder of included files, and the files. Where others may write to the folder, the files'
/// folders are not reported again.
void inspect_included(const config::Settings& settings, const TrustedAccounts& trusted,
                      const std::string& service_group, std::vector<Weakness>& found) {
    constexpr const char* power = "with it where hosts point";
    if (!settings.include) return;
    const SecretFile folder{"conf", *settings.include, "the keys", power};
    const std::size_t before = found.size();
    FileInspector(folder, trusted, service_group, found).inspect_as_folder();
    const bool is_good = found.size() == before;
    std::vector<Weakness> of_files;
    for (const auto& path : settings.included) {
        const SecretFile file{"conf", path, "the keys", power};
        FileInspector inspector(file, trusted, service_group, of_files);
        is_good ? inspector.inspect() : inspector.inspect_file();
    }
    const std::size_t told = std::min(of_files.size(), most_told);
    std::move(of_files.begin(), of_files.begin() + static_cast<std::ptrdiff_t>(told),
              std::back_inserter(found));
    if (told < of_files.size())
        found.push_back({"conf",
                         {fmt::format("{} more like these of files in it", of_files.size() - told),
                          *settings.include,
                          fmt::format("chgrp {0} {1}/*.toml && chmod 640 {1}/*.toml", service_group,
                                      *settings.include)}});
}

// --- keys ---

class KeyInspector {
public:
    explicit KeyInspector(const config::Loaded& loaded)
        : loaded_(loaded), settings_(loaded.settings) {}

    std::vector<Weakness> inspect() {
        for (std::size_t i = 0; i < settings_.clients.size(); ++i) {
            const auto client = settings_.clients[i];
            by_key("this client's key", client.key, settings_.clients.source(i),
                   {dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data()))
                        .text()});
        }
        for (const auto& client : settings_.named_clients) {
            if (client.key) named_.emplace(client.key->reveal(), client.source);
        }
        for (const auto& client : settings_.named_clients) {
            std::vector<std::string> known{client.name};
            for (const auto& host : client.hosts) known.push_back(host.name.text());
            if (client.user) known.push_back(*client.user);
            if (client.key) by_key("this client's key", client.key->reveal(), client.source, known);
            if (!client.password.empty())
                guessable("this client's password", client.password.reveal(), client.source, known);
        }
        for (std::size_t i = 0; i < settings_.clients.size(); ++i)
            shadow(settings_.clients[i].key, settings_.clients.source(i));
        for (const auto& client : settings_.named_clients) {
            if (client.key) shadow(client.key->reveal(), client.source);
        }
        if (more_ != 0)
            found_.push_back({"clients",
                              {fmt::format("{} more keys or passwords like these", more_),
                               loaded_.conf, new_key}});
        return std::move(found_);
    }

private:
    void by_key(const char* what, std::string_view key, config::SourceLine line,
                const std::vector<std::string>& known) {
        if (key.starts_with("http://") || key.starts_with("https://"))
            return add(fmt::format("{} is a whole URL", what), line,
                       "write only what stands behind the server's name and the slash");
        guessable(what, key, line, known);
    }

    /// `known`: the public names of the client.
    void guessable(const char* what, std::string_view secret, config::SourceLine line,
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

    /// Reports a key that is the percent-encoded form of another client's key. A request target is
    /// decoded only if it is not a key itself (protocol/secret_url.hpp), so this key hides the
    /// other when that is sent encoded.
    void shadow(std::string_view key, config::SourceLine line) {
        if (key.find('%') == std::string_view::npos) return;
        std::string decoded = protocol::percent_decoded(key);
        const auto other = decoded == key ? std::nullopt : line_of(decoded);
        base::zeroize(decoded);
        if (other)
            add(fmt::format("this client's key is the percent-encoded form of the one in {}: "
                            "who sends that encoded reaches this host",
                            other->file == line.file ? fmt::format("line {}", other->line)
                                                     : place_of(*other)),
                line, "give one of them another key");
    }

    [[nodiscard]] std::optional<config::SourceLine> line_of(std::string_view key) const {
        if (const auto line = settings_.clients.source_of_key(key)) return line;
        const auto found = named_.find(key);
        return found == named_.end() ? std::nullopt : std::optional(found->second);
    }

    [[nodiscard]] std::string place_of(config::SourceLine line) const {
        return loaded_.python ? fmt::format("{}, entry {} of CLIENTS", loaded_.conf, line.line)
                              : config::text_of(settings_, loaded_.conf, line);
    }

    void add(std::string what, config::SourceLine line, std::string remedy) {
        if (found_.size() == most_told) {
            ++more_;
            return;
        }
        found_.push_back({"clients", {std::move(what), place_of(line), std::move(remedy)}});
    }

    const config::Loaded& loaded_;
    const config::Settings& settings_;
    std::map<std::string_view, config::SourceLine>
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

namespace {

constexpr const char* power_of_conf = "with it where all hosts point";

/// The modules in the folder of a Python conf, which run with the service's privileges.
std::vector<python::ConfModule> modules_of(const config::Loaded& loaded) {
    if (!loaded.python) return {};
    auto modules = loaded.python->modules();
    return modules.has_error() ? std::vector<python::ConfModule>() : std::move(*modules);
}

}  // namespace

std::vector<Weakness> weak_files(const config::Loaded& loaded) {
    using SecretKind = TrustedAccounts::SecretKind;
    const config::Settings& settings = loaded.settings;
    const auto service = base::find_user(name_of_service_user(settings));
    const auto group = service ? base::find_group(service->gid) : std::nullopt;
    const std::string service_group = group ? group->name : "sftdyn";

    const TrustedAccounts with_keys(settings, SecretKind::clients_keys);
    std::vector<Weakness> found;
    std::vector<std::string> seen;
    const auto inspect = [&](const SecretFile& file, const TrustedAccounts& trusted) {
        if (std::find(seen.begin(), seen.end(), file.path) != seen.end()) return;
        seen.push_back(file.path);
        FileInspector(file, trusted, service_group, found).inspect();
    };
    if (!loaded.conf.empty()) inspect({"conf", loaded.conf, "the keys", power_of_conf}, with_keys);
    for (const auto& module : modules_of(loaded))
        inspect({"conf", module.path, module.has_clients ? "the keys" : nullptr, power_of_conf},
                with_keys);
    inspect_included(settings, with_keys, service_group, found);
    const TrustedAccounts with_dns(settings, SecretKind::tsig_key);
    const auto key_of = [&](const config::ZoneSettings& zone) {
        for (const auto& file : config::key_files(zone))
            inspect({"key", dns::key_file_path(file), "the TSIG key", "stop all updates"},
                    with_dns);
    };
    key_of(settings.dns);
    for (const auto& zone : settings.zones) key_of(zone);
    const TrustedAccounts with_certificates(settings, SecretKind::private_key);
    for (const auto& files : config::certificates(settings))
        inspect({"certificate", files.key, "the private key", "stop HTTPS"}, with_certificates);
    return found;
}

std::vector<Weakness> weak_keys(const config::Loaded& loaded) {
    return KeyInspector(loaded).inspect();
}

}  // namespace sftdyn::commands
