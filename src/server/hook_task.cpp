// SPDX-License-Identifier: GPL-3.0-or-later
#include "server/hook_task.hpp"

#include <span>
#include <utility>

#include "base/log.hpp"
#include "protocol/form_parameters.hpp"

namespace sftdyn::server {
namespace {

namespace log = base::log;

constexpr std::size_t longest_echo = 200;

/// Moves the fields, and zeroizes short values, which are stored in the string object and would
/// stay behind.
python::Fields take_fields(std::span<http::Field> fields) {
    python::Fields::List list;
    list.reserve(fields.size());
    for (http::Field& field : fields) {
        auto& [name, value] = list.emplace_back(std::move(field.name), std::string());
        if (field.value.capacity() > std::string().capacity()) {
            value = std::move(field.value);
        } else {
            value = field.value;
        }
        base::zeroize(field.value);
    }
    return python::Fields(std::move(list));
}

}  // namespace

HookTask::HookTask(RequestContext& from, const http::Request& asked, std::string_view with_key)
    : settings(from.shared_settings()),
      began(from.began()),
      peer(from.source()),
      key(with_key),
      fields(take_fields(asked.fields)),
      client_(peer),
      request_(from.defer()) {}

std::shared_ptr<RequestContext> HookTask::claim() {
    const base::MutexLock lock(mutex_);
    if (request_) request_->set_source(client_);
    return std::move(request_);
}

std::string HookTask::shown(std::string_view text, python::Call& call) const {
    const std::string decoded = protocol::percent_decoded(key);
    const std::string without_keys = call.shown(text.substr(0, longest_echo));
    return log::printable(base::redacted(base::redacted(without_keys, key), decoded));
}

std::string HookTask::shown_quote(const std::string& message, python::Call& call) const {
    const std::size_t begin = message.find('"'), end = message.rfind('"');
    if (begin == end) return log::printable(message);
    return log::printable(message.substr(0, begin + 1)) +
           shown(std::string_view(message).substr(begin + 1, end - begin - 1), call) +
           log::printable(message.substr(end));
}

}  // namespace sftdyn::server
