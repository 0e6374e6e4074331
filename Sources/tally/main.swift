import AsyncHTTPClient
import ArgumentParser
import Configuration
print("x")
