/* Preloaded into XRootD and the scitokens tools where namespaces are not allowed. Two things only:
 * what listens on any address listens on loopback; what uses libcurl trusts the CA named by INTEROP_CA_FILE. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void *of_libcurl(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found != NULL) return found;
  /* XRootD opens its plugins, and with them libcurl, where RTLD_NEXT does not look. */
  void *library = dlopen("libcurl.so.4", RTLD_NOW);
  return library == NULL ? NULL : dlsym(library, name);
}

void *curl_easy_init(void) {
  enum { curlopt_cainfo = 10065 };
  void *(*init)(void) = (void *(*)(void))of_libcurl("curl_easy_init");
  int (*set)(void *, int, ...) = (int (*)(void *, int, ...))of_libcurl("curl_easy_setopt");
  const char *ca_file = getenv("INTEROP_CA_FILE");
  void *handle = init == NULL ? NULL : init();
  if (handle != NULL && set != NULL && ca_file != NULL) set(handle, curlopt_cainfo, ca_file);
  return handle;
}

int bind(int descriptor, const struct sockaddr *wished, socklen_t length) {
  int (*next)(int, const struct sockaddr *, socklen_t) =
      (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (wished->sa_family == AF_INET && length >= sizeof v4) {
    memcpy(&v4, wished, sizeof v4);
    if (v4.sin_addr.s_addr == htonl(INADDR_ANY)) v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return next(descriptor, (struct sockaddr *)&v4, sizeof v4);
  }
  if (wished->sa_family == AF_INET6 && length >= sizeof v6) {
    memcpy(&v6, wished, sizeof v6);
    if (IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr)) v6.sin6_addr = in6addr_loopback;
    return next(descriptor, (struct sockaddr *)&v6, sizeof v6);
  }
  return next(descriptor, wished, length);
}
