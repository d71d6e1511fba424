// SPDX-License-Identifier: GPL-3.0-or-later
#include "http/request_reader.hpp"

#include <algorithm>
#include <cstring>

namespace sftdyn::http {

RequestReader::RequestReader(const Limits& limits, std::string_view proxy_field)
    : limits_(limits), proxy_field_(proxy_field) {
    next();
}

void RequestReader::next(bool keep_fields) {
    parser_.emplace(limits_, proxy_field_, keep_fields);
    status_ = 0;
    forget_what_was_read();
}

void RequestReader::drop() {
    begin_ = end_;
    next();
}

void RequestReader::forget_what_was_read() {
    if (begin_ < end_) {  // unread octets stay in place
        buffer_.zeroize(clean_, begin_);
        buffer_.zeroize(end_, used_);
        clean_ = begin_;
        used_ = end_;
        return;
    }
    if (buffer_.capacity() > read_size) {
        buffer_.release();
    } else {
        buffer_.zeroize(clean_, used_);
    }
    clean_ = begin_ = end_ = used_ = 0;
}

boost::asio::mutable_buffer RequestReader::space() {
    // The parser has copied what was received of an incomplete body.
    if (begin_ == end_) forget_what_was_read();
    const auto is_short = [this] { return buffer_.capacity() - end_ < read_size / 2; };
    if (is_short() && begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        clean_ = begin_ = 0;
    }
    if (is_short()) {
        // At most one read beyond the longest header, since `read` refuses a longer one.
        const std::size_t most = std::max(limits_.header_octets, end_) + read_size;
        buffer_.grow(std::clamp(2 * buffer_.capacity(), end_ + read_size, most));
    }
    return {buffer_.data() + end_, buffer_.capacity() - end_};
}

void RequestReader::received(std::size_t size) {
    end_ += size;
    used_ = std::max(used_, end_);
}

RequestState RequestReader::read() {
    while (begin_ < end_) {
        boost::system::error_code error;
        const std::size_t used = parser_->feed({buffer_.data() + begin_, end_ - begin_}, error);
        begin_ += used;
        if (error == boost::beast::http::error::need_more) return RequestState::more;
        if (error) {
            status_ = parser_->status_of(error);
            return RequestState::refused;
        }
        if (parser_->is_done()) return RequestState::whole;
        if (used == 0) break;
    }
    return RequestState::more;
}

}  // namespace sftdyn::http
