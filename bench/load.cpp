// SPDX-License-Identifier: GPL-3.0-or-later
// Clients that change their address with each request: each has a key of its own and two kept
// connections, from 127.0.0.2 and from 127.0.0.3, and asks on them in turn, waiting for each
// answer.
//
//   bench_load PORT CLIENTS SECONDS [KEY-PREFIX [FIRST [KEY-SUFFIX]]]
//
// Client number n asks for /<prefix><first + n><suffix>. Prints: requests, OKs, seconds, and the
// median and 99th percentile of the latency in milliseconds, in one line of JSON.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

struct Totals {
    bool stop = false;
    std::size_t requests = 0, oks = 0;
    std::vector<float> latencies;
};

class Client : public std::enable_shared_from_this<Client> {
public:
    Client(asio::io_context& io, std::uint16_t port, const std::string& key, Totals& totals)
        : totals_(totals),
          request_("GET /" + key + " HTTP/1.1\r\nHost: x\r\n\r\n"),
          sockets_{tcp::socket(io), tcp::socket(io)} {
        for (int i = 0; i < 2; ++i) {
            sockets_[i].open(tcp::v4());
            sockets_[i].bind({asio::ip::make_address("127.0.0." + std::to_string(i + 2)), 0});
            sockets_[i].connect({asio::ip::address_v4::loopback(), port});
            sockets_[i].set_option(tcp::no_delay(true));
        }
    }

    void ask() {
        if (totals_.stop) return;
        turn_ ^= 1;
        size_ = 0;
        started_ = Clock::now();
        asio::async_write(sockets_[turn_], asio::buffer(request_),
                          [self = shared_from_this()](error_code error, std::size_t) {
                              if (!error) self->read();
                          });
    }

private:
    void read() {
        sockets_[turn_].async_read_some(
            asio::buffer(answer_ + size_, sizeof answer_ - size_),
            [self = shared_from_this()](error_code error, std::size_t got) {
                if (error) return;
                self->size_ += got;
                const std::string_view answer(self->answer_, self->size_);
                const std::size_t end = answer.find("\r\n\r\n");
                if (end == std::string_view::npos || answer.size() == end + 4) return self->read();
                self->totals_.requests++;
                self->totals_.oks += answer.substr(end + 4) == "OK";
                self->totals_.latencies.push_back(
                    std::chrono::duration<float, std::milli>(Clock::now() - self->started_)
                        .count());
                self->ask();
            });
    }

    Totals& totals_;
    std::string request_;
    tcp::socket sockets_[2];
    unsigned turn_ = 0;
    char answer_[1024];
    std::size_t size_ = 0;
    Clock::time_point started_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr,
                     "usage: bench_load PORT CLIENTS SECONDS [KEY-PREFIX [FIRST [KEY-SUFFIX]]]\n");
        return 2;
    }
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    const int clients = std::atoi(argv[2]);
    const double seconds = std::atof(argv[3]);
    const std::string prefix = argc > 4 ? argv[4] : "k";
    const int first = argc > 5 ? std::atoi(argv[5]) : 0;

    const std::string suffix = argc > 6 ? argv[6] : "";

    asio::io_context io{1};
    Totals totals;
    for (int i = 0; i < clients; ++i)
        std::make_shared<Client>(io, port, prefix + std::to_string(first + i) + suffix, totals)
            ->ask();
    asio::steady_timer timer(
        io, std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
    timer.async_wait([&](error_code) { totals.stop = true; });
    const auto start = Clock::now();
    io.run();
    const double took = std::chrono::duration<double>(Clock::now() - start).count();
    auto& latencies = totals.latencies;
    std::sort(latencies.begin(), latencies.end());
    const auto percentile = [&](double part) {
        return latencies.empty() ? 0.0F
                                 : latencies[static_cast<std::size_t>(
                                       part * static_cast<double>(latencies.size() - 1))];
    };
    std::printf(
        "{\"requests\": %zu, \"oks\": %zu, \"seconds\": %.3f, \"p50_ms\": %.3f, \"p99_ms\": "
        "%.3f}\n",
        totals.requests, totals.oks, took, static_cast<double>(percentile(0.5)),
        static_cast<double>(percentile(0.99)));
    return totals.requests > 0 ? 0 : 1;
}
