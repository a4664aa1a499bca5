/// \file
/// A tiny HTTP server on 127.0.0.1 for tests of downloads: one connection at a time, one answer each, and
/// able to misbehave on purpose.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace graphrun::testing {

struct HttpRequest {
  std::string path;
  std::optional<std::size_t> range_from;  ///< of "Range: bytes=N-"
};

struct HttpAnswer {
  std::string status = "200 OK";
  std::string headers;  ///< further ones, each ending in \r\n
  std::string body;
  std::optional<std::size_t> send_only;  ///< closes the connection after so many bytes of the body
  bool stall = false;                    ///< keeps the connection open after that, silently
};

class HttpServer {
 public:
  using Handler = std::function<HttpAnswer(const HttpRequest&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("no test server");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    stopped_ = true;
    thread_.join();
    ::close(listener_);
  }

  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// What was asked for so far.
  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  bool readable(int socket) const {
    pollfd waiting{socket, POLLIN, 0};
    while (!stopped_) {
      if (::poll(&waiting, 1, 20) > 0) return true;
    }
    return false;
  }

  void serve() {
    while (readable(listener_)) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      answer(connection);
      ::close(connection);
    }
  }

  void answer(int connection) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      char piece[1024];
      const ssize_t got = readable(connection) ? ::recv(connection, piece, sizeof(piece), 0) : 0;
      if (got <= 0) return;
      text.append(piece, static_cast<std::size_t>(got));
    }
    const HttpRequest request = parse(text);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    send_answer(connection, handler_(request));
  }

  static HttpRequest parse(const std::string& text) {
    HttpRequest request;
    const std::size_t begin = text.find(' ') + 1;
    request.path = text.substr(begin, text.find(' ', begin) - begin);
    const std::size_t range = text.find("Range: bytes=");
    if (range != std::string::npos) request.range_from = std::stoul(text.substr(range + 13));
    return request;
  }

  void send_answer(int connection, const HttpAnswer& answer) const {
    std::string text = "HTTP/1.1 " + answer.status +
                       "\r\nConnection: close\r\nContent-Length: " + std::to_string(answer.body.size()) +
                       "\r\n" + answer.headers + "\r\n" +
                       answer.body.substr(0, answer.send_only.value_or(answer.body.size()));
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t count = ::send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
    // The client closes the connection when it has lost patience, which makes it readable.
    if (answer.stall) readable(connection);
  }

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopped_ = false;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::thread thread_;
};

}  // namespace graphrun::testing
