/* scitokens-deserialize TOKENS-FILE SECONDS: has libscitokens verify tokens, one a line, in turn again and again, and prints how many
   per second of processor time. The keys are in its own cache, below $XDG_CACHE_HOME. */
#include <scitokens/scitokens.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { most_tokens = 1000, longest_token = 16384 };

static double processor_time(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int read_tokens(const char *path, char *tokens[]) {
    static char line[longest_token];
    int count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    while (count < most_tokens && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        tokens[count++] = strdup(line);
    }
    fclose(file);
    return count;
}

int main(int argc, char **argv) {
    static char *tokens[most_tokens];
    int count = argc == 3 ? read_tokens(argv[1], tokens) : 0;
    if (count == 0) {
        fputs("usage: scitokens-deserialize TOKENS-FILE SECONDS\n", stderr);
        return 2;
    }
    double begun = processor_time(), now = begun, until = begun + atof(argv[2]);
    long done = 0;
    for (; now < until; now = processor_time(), done++) {
        SciToken token;
        char *complaint = NULL;
        if (scitoken_deserialize(tokens[done % count], &token, NULL, &complaint) != 0) {
            fprintf(stderr, "%s\n", complaint);
            return 1;
        }
        scitoken_destroy(token);
    }
    printf("%f\n", done / (now - begun));
    return 0;
}
