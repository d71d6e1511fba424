// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/tsig_key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "base/descriptor.hpp"
#include "base/kept_from.hpp"
#include "base/secret.hpp"
#include "base/system_error.hpp"
#include "base/system_user.hpp"

namespace sftdyn::dns {
namespace {

// Key files have a few hundred octets. A much larger file is not a key file.
constexpr std::size_t largest_key_file = 64 * 1024;
constexpr const char* bind_form =
    "expected: key \"name\" { algorithm hmac-sha256; secret \"…\"; };";

std::string user_name() {
    const uid_t uid = geteuid();
    const auto user = base::find_user(uid);
    return user ? fmt::format("{} (uid {})", user->name, uid) : fmt::format("uid {}", uid);
}

/// The remedy for a key file that can't be opened.
const char* remedy_of(int code, const std::string& path) {
    if (code == EMFILE || code == ENFILE) return base::descriptors_remedy;
    if (code != EACCES && code != EPERM)
        return "is the DNS server running, and is the path right? (nskeyfile names another key)";
    return base::is_kept_from(path)
               ? base::sandbox_remedy
               : "let that user's group read it (chgrp and chmod 640), or give sftdyn a key of its "
                 "own with nskeyfile";
}

base::Error unreadable(const std::string& path, int code) {
    return {fmt::format("the key file can't be read as user {}: {}", user_name(),
                        base::system_error_text(code)),
            path, remedy_of(code, path)};
}

base::Result<base::Secret> read_whole(const std::string& path) {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    const base::Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0) return unreadable(path, errno);
    if (S_ISDIR(status.st_mode)) return unreadable(path, EISDIR);
    if (!S_ISREG(status.st_mode))
        return base::Error{"the key file is not a regular file but a pipe, a device or a socket",
                           path, "name the key's file with nskeyfile"};
    std::string text(largest_key_file + 1, '\0');
    std::size_t have = 0;
    ssize_t size = 1;
    while (have < text.size() && size != 0) {
        size = read(file.get(), text.data() + have, text.size() - have);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) {
            const int code = errno;
            base::zeroize(text);
            return unreadable(path, code);
        }
        have += static_cast<std::size_t>(size);
    }
    text.resize(have);
    base::Secret whole(text);
    base::zeroize(text);
    if (have > largest_key_file)
        return base::Error{"the file is too large for a key file", path, bind_form};
    return whole;
}

/// The same, with the file's path in the error.
base::Result<TsigKey> at_path(base::Result<TsigKey> key, const std::string& path) {
    if (key.has_value()) return key;
    base::Error error = key.error();
    error.where = path;
    return error;
}

struct Token {
    std::string_view text;
    bool quoted = false;
    std::size_t line = 1;
};

/// Tokenizes BIND's configuration language: words, quoted strings, `{ } ;`, and its three kinds of
/// comments.
class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    std::optional<Token> next() {
        skip_space();
        if (at_ >= text_.size()) return std::nullopt;
        const std::size_t start = at_;
        if (text_[at_] == '"') {
            const std::size_t end = text_.find('"', at_ + 1);
            const std::size_t stop = end == std::string_view::npos ? text_.size() : end;
            at_ = std::min(stop + 1, text_.size());
            return Token{text_.substr(start + 1, stop - start - 1), true, line_};
        }
        if (is_mark(text_[at_])) return Token{text_.substr(at_++, 1), false, line_};
        while (at_ < text_.size() && !is_space(text_[at_]) && !is_mark(text_[at_]) &&
               text_[at_] != '"')
            ++at_;
        return Token{text_.substr(start, at_ - start), false, line_};
    }
    [[nodiscard]] std::size_t line() const { return line_; }

private:
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
    static bool is_mark(char c) { return c == '{' || c == '}' || c == ';'; }

    void skip_to(std::string_view end) {
        const std::size_t found = text_.find(end, at_);
        const std::size_t stop =
            found == std::string_view::npos ? text_.size() : found + end.size();
        for (; at_ < stop; ++at_) line_ += text_[at_] == '\n';
    }
    void skip_space() {
        while (at_ < text_.size()) {
            const auto rest = text_.substr(at_);
            if (is_space(rest[0])) {
                line_ += rest[0] == '\n';
                ++at_;
            } else if (rest[0] == '#' || rest.starts_with("//")) {
                skip_to("\n");
            } else if (rest.starts_with("/*")) {
                skip_to("*/");
            } else {
                return;
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
};

/// The content of a `key` statement.
struct Statement {
    std::string name, algorithm;
    base::Secret secret;
};

/// Removes white space: BIND's tools split long secrets into words.
base::Secret without_space(std::string_view text) {
    std::string joined;
    joined.reserve(text.size());
    for (const char c : text) {
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') joined += c;
    }
    base::Secret secret(joined);
    base::zeroize(joined);
    return secret;
}

class BindParser {
public:
    /// Reads the file that an `include` names. The error already has its location.
    using Include = std::function<base::Result<TsigKey>(const std::string& name)>;

    BindParser(std::string_view text, const std::string& path, Include include)
        : lexer_(text), path_(path), include_(std::move(include)) {}

    base::Result<TsigKey> run() {
        auto key = key_or_include();
        if (key.has_error()) return key;
        if (const auto extra = lexer_.next()) {
            return complain(extra->line, "there is more after the key", "keep one key in the file");
        }
        return key;
    }

private:
    base::Result<TsigKey> key_or_include() {
        const auto first = word("\"key\"");
        if (first.has_error()) return first.error();
        if (!first->quoted && first->text == "include") {
            const auto name = word("the name of a file");
            if (name.has_error()) return name.error();
            const std::size_t line = name->line;
            const std::string file(name->text);
            if (const auto error = mark(";")) return *error;
            return include_ ? include_(file) : complain(line, "include can't be used here");
        }
        if (first->quoted || first->text != "key")
            return complain(first->line, "this is not a TSIG key");
        auto statement = one_key();
        if (statement.has_error()) return statement.error();
        return at_path(TsigKey::make(statement->name, statement->algorithm, statement->secret),
                       path_);
    }

    base::Error complain(std::size_t line, std::string what, std::string remedy = bind_form) {
        return {std::move(what), fmt::format("{}:{}", path_, line), std::move(remedy)};
    }

    base::Result<Token> word(std::string_view wanted) {
        const auto token = lexer_.next();
        if (!token)
            return complain(lexer_.line(), fmt::format("the file ends where {} should be", wanted));
        return *token;
    }

    /// Returns an error unless the next token is `mark`.
    std::optional<base::Error> mark(std::string_view mark) {
        const auto token = word(fmt::format("\"{}\"", mark));
        if (token.has_error()) return token.error();
        if (token->quoted || token->text != mark)
            return complain(token->line, fmt::format("expected \"{}\"", mark));
        return std::nullopt;
    }

    base::Result<Statement> one_key() {
        Statement out;
        const auto name = word("the key's name");
        if (name.has_error()) return name.error();
        out.name = name->text;
        if (const auto error = mark("{")) return *error;
        for (;;) {
            const auto field = word("algorithm, secret or \"}\"");
            if (field.has_error()) return field.error();
            if (!field->quoted && field->text == "}") break;
            if (field->text != "algorithm" && field->text != "secret") {
                return complain(field->line, "expected algorithm or secret");
            }
            const auto value = word("a value");
            if (value.has_error()) return value.error();
            if (field->text == "secret") {
                out.secret = without_space(value->text);
            } else {
                out.algorithm = value->text;
            }
            if (const auto error = mark(";")) return *error;
        }
        if (const auto error = mark(";")) return *error;
        if (out.algorithm.empty()) return complain(lexer_.line(), "the key has no algorithm");
        if (out.secret.empty()) return complain(lexer_.line(), "the key has no secret");
        return out;
    }

    Lexer lexer_;
    std::string path_;
    Include include_;
};

/// The algorithm numbers that dnssec-keygen writes for HMAC keys.
const std::map<std::string, std::string>& private_algorithms() {
    static const std::map<std::string, std::string> names{
        {"157", "hmac-md5"},    {"161", "hmac-sha1"},   {"162", "hmac-sha224"},
        {"163", "hmac-sha256"}, {"164", "hmac-sha384"}, {"165", "hmac-sha512"}};
    return names;
}

}  // namespace

base::Result<TsigKey> parse_bind_key(std::string_view text, const std::string& path) {
    return BindParser(text, path, {}).run();
}

base::Result<TsigKey> parse_private_key(std::string_view text, const std::string& path) {
    const std::string file = std::filesystem::path(path).filename().string();
    const std::size_t plus = file.find(".+");
    if (!file.starts_with("K") || plus == std::string::npos) {
        return base::Error{"the file's name does not tell the key's name", path,
                           "keep the name that dnssec-keygen gave: Kname.+165+12345.private"};
    }
    std::string algorithm;
    base::Secret secret;
    std::size_t line_number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view line = text.substr(at, text.find('\n', at) - at);
        at += line.size() + 1;
        ++line_number;
        const std::size_t colon = line.find(": ");
        if (colon == std::string_view::npos) continue;
        const std::string_view field = line.substr(0, colon);
        std::string_view value = line.substr(colon + 2);
        if (field == "Key")
            secret =
                base::Secret(std::string(value.substr(0, value.find_last_not_of(" \r\t") + 1)));
        if (field != "Algorithm") continue;
        const auto known = private_algorithms().find(std::string(value.substr(0, value.find(' '))));
        if (known == private_algorithms().end()) {
            return base::Error{"the key's algorithm is not one for TSIG",
                               fmt::format("{}:{}", path, line_number),
                               std::string("make a key with one of ") + known_algorithms()};
        }
        algorithm = known->second;
    }
    if (algorithm.empty())
        return base::Error{"there is no \"Algorithm:\" line", path,
                           "expected a file that dnssec-keygen wrote"};
    if (secret.empty())
        return base::Error{"there is no \"Key:\" line", path,
                           "expected a file that dnssec-keygen wrote for an HMAC algorithm"};
    return at_path(TsigKey::make(file.substr(1, plus - 1), algorithm, secret), path);
}

std::string key_file_path(const std::string& path) {
    const auto file = std::filesystem::path(path).filename().string();
    if (!file.starts_with("K") || file.find(".+") == std::string::npos ||
        file.ends_with(".private"))
        return path;
    if (file.ends_with(".key")) return path.substr(0, path.size() - 4) + ".private";
    return path + (path.ends_with('.') ? "private" : ".private");
}

namespace {

// Limits the depth, because files may include each other.
constexpr std::size_t most_includes = 8;

base::Result<TsigKey> read_file(const std::string& path, const OnKeyFile& on_file,
                                std::size_t depth) {
    if (depth > most_includes)
        return base::Error{"too many files include one another", path, bind_form};
    if (on_file) on_file(path);
    const auto text = read_whole(path);
    if (text.has_error()) return text.error();
    if (path.ends_with(".private")) return parse_private_key(text->reveal(), path);
    const auto include = [&](const std::string& name) {
        const auto folder = std::filesystem::path(path).parent_path();
        // An absolute `name` replaces the folder.
        return read_file((folder / name).string(), on_file, depth + 1);
    };
    return BindParser(text->reveal(), path, include).run();
}

}  // namespace

base::Result<TsigKey> read_key_file(const std::string& path, const OnKeyFile& on_file) {
    return read_file(key_file_path(path), on_file, 0);
}

std::vector<std::string> key_file_parts(const std::string& path) {
    std::vector<std::string> paths;
    // Errors are reported where the key is used.
    static_cast<void>(
        read_key_file(path, [&paths](const std::string& part) { paths.push_back(part); }));
    return paths;
}

}  // namespace sftdyn::dns
