// SPDX-License-Identifier: GPL-3.0-or-later
// A plugin without Python, of version "1": what the loader has of it.
#include "python/conf.hpp"

namespace sftdyn::python {
namespace {

class FakeInterpreter : public Interpreter {
public:
    base::Result<std::shared_ptr<const Conf>> run(const std::string& path) override {
        return base::Error{"a fake one", path};
    }
    std::unique_ptr<Attached> attach() override { return nullptr; }
    void interrupt(std::uint64_t) override {}
};

}  // namespace
}  // namespace sftdyn::python

extern "C" __attribute__((visibility("default"))) sftdyn::python::Interpreter*
sftdyn_python_interpreter(const char* version, std::string& failure) {
    static sftdyn::python::FakeInterpreter interpreter;
    if (std::string_view(version) == "faulty") failure = "a fault";
    return std::string_view(version) == "1" ? &interpreter : nullptr;
}
